package siptest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/sip/siptest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestBaresip has one phone call another, over each way of sound that tests of
// calls rely on.
func TestBaresip(t *testing.T) {
	for name, o := range map[string]siptest.BaresipOptions{
		"plain": {},
		"srtp":  {SRTP: "srtp-mand"},
		"g722":  {Codecs: []string{"g722"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := o
			o.User, o.Hertz = "alice", 600
			alice := siptest.StartBaresip(t, o)
			o.User, o.Hertz, o.Manual = "bob", 900, true
			bob := siptest.StartBaresip(t, o)
			alice.Dial(bob.URI())
			if in := bob.Expect(siptest.BaresipIncoming, 1, time.Minute); !strings.Contains(in.Peer, "alice") || in.ID == "" {
				t.Errorf("incoming %+v", in)
			}
			bob.Command("accept", "")
			alice.Expect(siptest.BaresipEstablished, 1, time.Minute)
			alice.HearTone(900, time.Minute)
			if _, rate := bob.Heard(); name == "g722" && rate != 16000 {
				t.Errorf("bob hears at %d Hz", rate)
			}
			bob.HearTone(600, time.Minute)
			alice.Digits("5")
			if e := bob.Expect(siptest.BaresipDigit, 1, time.Minute); e.Param != "5" {
				t.Errorf("digit %+v", e)
			}
			alice.Hold(true)
			awaitOffer(t, bob, "a=sendonly")
			alice.Hold(false)
			bob.HearTone(600, time.Minute)
			bob.Hangup()
			alice.Expect(siptest.BaresipClosed, 1, time.Minute)
		})
	}
}

// awaitOffer waits until the last INVITE that the phone got has the attribute.
func awaitOffer(t *testing.T, b *siptest.Baresip, attribute string) {
	t.Helper()
	last := ""
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		for _, m := range b.Messages() {
			if m.Received && m.Is("INVITE") {
				last = m.Text
			}
		}
		if strings.Contains(last, attribute) {
			return
		}
	}
	t.Fatalf("no INVITE with %s; the last was\n%s", attribute, last)
}
