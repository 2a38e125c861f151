package sip

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/sip/siptest"
)

// call places a call to a sipp peer.
func call(t *testing.T, ctx context.Context, u *UA, p *siptest.Peer, in Invite) (*Dialog, error) {
	t.Helper()
	in.URI = "sip:+15550002@" + p.Addr.String() + in.URI
	if in.From == "" {
		in.From = "+15550001"
	}
	if in.Body == nil {
		in.Body = []byte(offer)
	}
	return u.Invite(ctx, in)
}

func TestForeignAnswer(t *testing.T) {
	t.Parallel()
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer})
	u := newUA(t, Options{})
	var heard []int
	sent := 0
	id := NewCallID()
	d, err := call(t, within(t, 10*time.Second), u, p, Invite{
		CallID: id, OnSent: func() { sent++ }, Headers: map[string]string{"X-Call": "7"},
		OnProvisional: func(status int, _ []byte) { heard = append(heard, status) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if sent != 1 || !slices.Equal(heard, []int{180}) || d.CallID() != id {
		t.Errorf("OnSent %d times, provisional %v, Call-ID %q", sent, heard, d.CallID())
	}
	if !strings.Contains(string(d.RemoteSDP()), "m=audio") {
		t.Errorf("remote SDP %q", d.RemoteSDP())
	}
	if err := d.Bye(within(t, 5*time.Second)); err != nil {
		t.Errorf("Bye: %v", err)
	}
	p.Expect("BYE", 1, time.Second)
	if got := p.Received("INVITE"); got != 1 {
		t.Errorf("%d INVITEs, want 1", got)
	}
	if inv := p.Messages()[0]; inv.Header("Call-ID") != id || inv.Header("X-Call") != "7" {
		t.Errorf("the INVITE lacks its Call-ID or header:\n%s", inv.Text)
	}
}

func TestForeignTCP(t *testing.T) {
	t.Parallel()
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer, TCP: true})
	d, err := call(t, within(t, 10*time.Second), newUA(t, Options{TCP: true}), p, Invite{URI: ";transport=tcp"})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Bye(within(t, 5*time.Second)); err != nil {
		t.Errorf("Bye: %v", err)
	}
}

func TestForeignRefusals(t *testing.T) {
	t.Parallel()
	for scenario, want := range map[string]StatusError{
		siptest.Busy:        {Status: 486, Reason: "Busy Here"},
		siptest.Decline:     {Status: 603, Reason: "Decline"},
		siptest.NotFound:    {Status: 404, Reason: "Not Found"},
		siptest.Unavailable: {Status: 503, Reason: "Service Unavailable", RetryAfter: 7 * time.Second},
	} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			p := siptest.UAS(t, siptest.Scenario{Name: scenario})
			_, err := call(t, within(t, 10*time.Second), newUA(t, Options{}), p, Invite{})
			var got *StatusError
			if !errors.As(err, &got) || *got != want {
				t.Errorf("%v, want %v", err, &want)
			}
			p.Expect("ACK", 1, time.Second)
		})
	}
}

func TestForeignNoAnswer(t *testing.T) {
	t.Parallel()
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.NoAnswer})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := call(t, ctx, newUA(t, Options{}), p, Invite{OnProvisional: func(int, []byte) { cancel() }})
	if !errors.Is(err, ErrCanceled) {
		t.Errorf("%v, want ErrCanceled", err)
	}
	p.Expect("CANCEL", 1, time.Second)
	p.Expect("ACK", 1, time.Second)
}

func TestForeignLateAnswer(t *testing.T) {
	t.Parallel()
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.LateAnswer})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	d, err := call(t, ctx, newUA(t, Options{}), p, Invite{OnProvisional: func(int, []byte) { cancel() }})
	if !errors.Is(err, ErrCanceled) || d != nil {
		t.Errorf("%v, %v, want ErrCanceled", d, err)
	}
	p.Expect("ACK", 1, time.Second)
	p.Expect("BYE", 1, time.Second)
}

func TestForeignHangup(t *testing.T) {
	t.Parallel()
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.Hangup, Pause: 50 * time.Millisecond})
	d, err := call(t, within(t, 10*time.Second), newUA(t, Options{}), p, Invite{})
	if err != nil {
		t.Fatal(err)
	}
	await(t, "the far end's BYE", d.Done())
	if !d.ByRemote() {
		t.Error("ByRemote is false")
	}
	p.Expect("200", 1, time.Second)
	if err := d.Bye(within(t, time.Second)); err != nil {
		t.Errorf("Bye after the end: %v", err)
	}
}

func TestForeignEarlyMedia(t *testing.T) {
	t.Parallel()
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.EarlyMedia})
	var early string
	d, err := call(t, within(t, 10*time.Second), newUA(t, Options{}), p, Invite{OnProvisional: func(status int, body []byte) {
		if status == 183 {
			early = string(body)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(early, "m=audio") {
		t.Errorf("SDP of the 183: %q", early)
	}
	_ = d.Bye(within(t, 5*time.Second))
}

func TestForeignDigest(t *testing.T) {
	t.Parallel()
	for _, scenario := range []string{siptest.Digest401, siptest.Digest407} {
		for _, user := range []string{"alice", "mallory"} {
			t.Run(scenario+" "+user, func(t *testing.T) {
				t.Parallel()
				p := siptest.UAS(t, siptest.Scenario{Name: scenario, User: "alice", Password: "secret"})
				d, err := call(t, within(t, 10*time.Second), newUA(t, Options{}), p, Invite{Username: user, Password: "secret"})
				if user == "alice" {
					if err != nil {
						t.Fatal(err)
					}
					_ = d.Bye(within(t, 5*time.Second))
					return
				}
				var status *StatusError
				if !errors.As(err, &status) || status.Status != 403 {
					t.Errorf("%v, want 403", err)
				}
			})
		}
	}
}

func TestForeignHold(t *testing.T) {
	t.Parallel()
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.Hold, Pause: 300 * time.Millisecond})
	d, err := call(t, within(t, 10*time.Second), newUA(t, Options{}), p, Invite{})
	if err != nil {
		t.Fatal(err)
	}
	offers := make(chan string, 4)
	d.OnReinvite(func(sdp []byte) ([]byte, error) {
		offers <- string(sdp)
		return []byte(answer), nil
	})
	// The first re-INVITE comes right behind the ACK; the dialog lets it wait
	// for the function.
	for _, way := range []string{"sendonly", "sendrecv"} {
		select {
		case got := <-offers:
			if !strings.Contains(got, "a="+way) {
				t.Errorf("offer %q, want %s", got, way)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("no offer with %s", way)
		}
	}
	if err := d.Bye(within(t, 5*time.Second)); err != nil {
		t.Errorf("Bye: %v", err)
	}
}

func TestForeignDTMFRelay(t *testing.T) {
	t.Parallel()
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.DTMFRelay})
	d, err := call(t, within(t, 10*time.Second), newUA(t, Options{}), p, Invite{})
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	d.OnInfo(func(kind string, body []byte) { got <- kind + " " + string(body) })
	select {
	case s := <-got:
		if !strings.HasPrefix(s, "application/dtmf-relay Signal=5") {
			t.Errorf("INFO %q", s)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("no INFO")
	}
	_ = d.Bye(within(t, 5*time.Second))
}

// TestForeignTone has sipp play into a socket of the test.
func TestForeignTone(t *testing.T) {
	t.Parallel()
	media, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = media.Close() }()
	at := media.LocalAddr().(*net.UDPAddr)
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.Tone})
	body := strings.ReplaceAll(offer, "40000", netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(at.Port)).String()[8:])
	d, err := call(t, within(t, 10*time.Second), newUA(t, Options{}), p, Invite{Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1500)
	if err := media.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, err := media.Read(buf)
	if err != nil || n != 172 || buf[1]&0x7f != 0 {
		t.Errorf("%d bytes of type %d, %v; want 172 of type 0", n, buf[1]&0x7f, err)
	}
	_ = d.Bye(within(t, 5*time.Second))
}

// TestForeignEcho has sipp send back the sound of a socket of the test.
func TestForeignEcho(t *testing.T) {
	t.Parallel()
	p := siptest.UAS(t, siptest.Scenario{Name: siptest.Answer, Echo: true})
	d, err := call(t, within(t, 10*time.Second), newUA(t, Options{}), p, Invite{})
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(d.RemoteSDP()), "m=audio ")
	port, _, _ := strings.Cut(after, " ")
	media, err := net.Dial("udp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = media.Close() }()
	packet := append([]byte{0x80, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4}, make([]byte, 160)...)
	buf := make([]byte, 1500)
	for try := 0; ; try++ { // the echo begins a moment after the answer
		if _, err := media.Write(packet); err != nil && try == 50 {
			t.Fatal(err)
		}
		_ = media.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		n, err := media.Read(buf)
		if err == nil && n == len(packet) {
			break
		}
		if try == 50 {
			t.Fatalf("no echo: %d bytes, %v", n, err)
		}
	}
	_ = d.Bye(within(t, 5*time.Second))
}

func TestForeignCalls(t *testing.T) {
	t.Parallel()
	ended := make(chan *Dialog, 1)
	u := newUA(t, Options{OnInvite: func(in *Incoming) {
		if in.From != "+15550001" || in.To != "+15550002" || in.DisplayName != "sipp" || in.Source.Addr().String() != "127.0.0.1" {
			t.Errorf("incoming %+v", in)
		}
		_ = in.Ring()
		d, err := in.Answer([]byte(answer))
		if err != nil {
			t.Errorf("Answer: %v", err)
			return
		}
		<-d.Done()
		ended <- d
	}})
	p := siptest.UAC(t, u.Addr(), siptest.Scenario{Name: siptest.Call, Pause: 20 * time.Millisecond})
	p.Wait(30 * time.Second)
	if d := <-ended; !d.ByRemote() || !strings.Contains(string(d.RemoteSDP()), "m=audio") {
		t.Errorf("by remote %v, SDP %q", d.ByRemote(), d.RemoteSDP())
	}
}

func TestForeignCallsAndWeHangUp(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	u := newUA(t, Options{OnInvite: func(in *Incoming) {
		d, err := in.Answer([]byte(answer))
		if err == nil {
			err = d.Bye(context.Background()) // it waits for the ACK
		}
		ended <- err
	}})
	siptest.UAC(t, u.Addr(), siptest.Scenario{Name: siptest.CallWaits}).Wait(30 * time.Second)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestForeignCallRefused(t *testing.T) {
	t.Parallel()
	u := newUA(t, Options{OnInvite: func(in *Incoming) { _ = in.Reject(486, "Busy Here") }})
	siptest.UAC(t, u.Addr(), siptest.Scenario{Name: siptest.CallRefused, Status: 486}).Wait(30 * time.Second)
	none := newUA(t, Options{})
	siptest.UAC(t, none.Addr(), siptest.Scenario{Name: siptest.CallRefused, Status: 404}).Wait(30 * time.Second)
}

func TestForeignCallPanics(t *testing.T) {
	t.Parallel()
	u := newUA(t, Options{OnInvite: func(*Incoming) { panic("a fault of the taker") }})
	siptest.UAC(t, u.Addr(), siptest.Scenario{Name: siptest.CallRefused, Status: 500}).Wait(30 * time.Second)
}

func TestForeignCancels(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	u := newUA(t, Options{OnInvite: func(in *Incoming) {
		_ = in.Ring()
		<-in.Canceled()
		close(gone)
	}})
	p := siptest.UAC(t, u.Addr(), siptest.Scenario{Name: siptest.CallCancel})
	await(t, "Canceled", gone)
	p.Wait(30 * time.Second)
}
