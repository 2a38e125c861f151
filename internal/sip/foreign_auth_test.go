package sip

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/sip/siptest"
)

// inviteTwice is sipp's caller that is challenged: INVITE, 401, ACK, INVITE with
// credentials, then the status that the test expects.
const inviteTwice = `<?xml version="1.0" encoding="ISO-8859-1" ?>
<!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="challenged">
  <send retrans="500"><![CDATA[

      INVITE sip:[to_user]@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      Max-Forwards: 70
      From: "sipp" <sip:[from_user]@[local_ip]:[local_port]>;tag=[pid]C[call_number]
      To: <sip:[to_user]@[remote_ip]:[remote_port]>
      Call-ID: [call_id]
      CSeq: 1 INVITE
      Contact: <sip:peer@[local_ip]:[local_port]>
      Content-Length: 0

  ]]></send>
  <recv response="100" optional="true"/>
  <recv response="401" auth="true"/>
  <send><![CDATA[

      ACK sip:[to_user]@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch-2]
      From: "sipp" <sip:[from_user]@[local_ip]:[local_port]>;tag=[pid]C[call_number]
      To: <sip:[to_user]@[remote_ip]:[remote_port]>[peer_tag_param]
      Call-ID: [call_id]
      CSeq: 1 ACK
      Content-Length: 0

  ]]></send>
  <send retrans="500"><![CDATA[

      INVITE sip:[to_user]@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      Max-Forwards: 70
      From: "sipp" <sip:[from_user]@[local_ip]:[local_port]>;tag=[pid]C[call_number]
      To: <sip:[to_user]@[remote_ip]:[remote_port]>
      Call-ID: [call_id]
      CSeq: 2 INVITE
      Contact: <sip:peer@[local_ip]:[local_port]>
      [authentication username=[auth_user] password=[auth_pass]]
      Content-Length: 0

  ]]></send>
  <recv response="100" optional="true"/>
  <recv response="[status]"/>
  <send><![CDATA[

      ACK sip:[to_user]@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch-2]
      From: "sipp" <sip:[from_user]@[local_ip]:[local_port]>;tag=[pid]C[call_number]
      To: <sip:[to_user]@[remote_ip]:[remote_port]>[peer_tag_param]
      Call-ID: [call_id]
      CSeq: 2 ACK
      Content-Length: 0

  ]]></send>
</scenario>`

func TestForeignCallerAuthenticates(t *testing.T) {
	t.Parallel()
	for password, want := range map[string]int{"secret": 486, "guess": 401} {
		t.Run(password, func(t *testing.T) {
			t.Parallel()
			u, users := guarded(t, Options{DigestAlgorithms: []string{"MD5"}})
			p := siptest.UAC(t, u.Addr(), siptest.Scenario{XML: inviteTwice, User: "alice", Password: password, Status: want})
			p.Wait(10 * time.Second)
			if got := len(users); got != (want-401)/85 {
				t.Errorf("%d callers got in", got)
			}
		})
	}
}

func TestForeignPhoneAuthenticates(t *testing.T) {
	t.Parallel()
	for password, good := range map[string]bool{"secret": true, "guess": false} {
		t.Run(fmt.Sprint(good), func(t *testing.T) {
			t.Parallel()
			answered := make(chan *Dialog, 4)
			u := newUA(t, Options{DigestAlgorithms: []string{"MD5"}, OnInvite: func(in *Incoming) {
				_, err := in.Authenticate("callwright", func(user string) (string, bool) { return "secret", user == "alice" })
				if err != nil {
					if !errors.Is(err, ErrUnauthorized) {
						t.Errorf("Authenticate: %v", err)
					}
					return
				}
				if d, err := in.Answer([]byte(answer)); err == nil {
					answered <- d
				}
			}})
			b := siptest.StartBaresip(t, siptest.BaresipOptions{AuthUser: "alice", Password: password})
			b.Dial("sip:+15550002@" + u.Addr().String())
			if !good {
				b.Expect(siptest.BaresipClosed, 1, 10*time.Second)
				if len(answered) != 0 {
					t.Error("a wrong password got in")
				}
				return
			}
			b.Expect(siptest.BaresipEstablished, 1, 10*time.Second)
			d := <-answered
			b.Hangup()
			await(t, "the end", d.Done())
		})
	}
}
