package sip

import (
	"errors"
	"strings"
	"testing"
	"time"

	wire "github.com/emiago/sipgo/sip"
)

func headerValue(m wire.Message, name string) string {
	if h := header(m, name); h != nil {
		return h.Value()
	}
	return ""
}

func TestCallerRefreshesByUpdate(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	began := time.Now()
	d, invite := r.dial(u, Invite{}, "Session-Expires: 2;refresher=uac", "Allow: INVITE, ACK, BYE", "Allow: UPDATE")
	if got := headerValue(invite, "Session-Expires"); got != "1800" || !supports(invite, "timer") {
		t.Errorf("the INVITE asks for %q:\n%s", got, invite)
	}
	first := r.request(wire.UPDATE)
	if took := time.Since(began); took < 900*time.Millisecond {
		t.Errorf("refreshed after %v, want half of 2 s", took)
	}
	if got := headerValue(first, "Session-Expires"); got != "2;refresher=uac" || len(first.Body()) != 0 || first.Contact() == nil {
		t.Errorf("UPDATE:\n%s", first)
	}
	// A far end that wants it less often is heard, once.
	r.respond(first, 422, "", "Min-SE: 3")
	again := r.request(wire.UPDATE)
	if got := headerValue(again, "Session-Expires"); got != "3;refresher=uac" || headerValue(again, "Min-SE") != "3" {
		t.Errorf("UPDATE after 422:\n%s", again)
	}
	r.respond(again, 200, "", "Session-Expires: 2;refresher=uac")
	// One that does not take it after all gets a re-INVITE, description unchanged.
	r.respond(r.request(wire.UPDATE), 405, "")
	invited := r.request(wire.INVITE)
	if string(invited.Body()) != offer || headerValue(invited, "Session-Expires") != "3;refresher=uac" {
		t.Errorf("re-INVITE:\n%s", invited)
	}
	r.accept(invited, "") // without Session-Expires: there is none any more
	r.request(wire.ACK)
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, running := d.session.roles(); !running {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the timer goes on although the answer did not name it")
		}
	}
	if d.over() {
		t.Error("the call is over")
	}
}

func TestFarEndThatDoesNotRefreshIsHungUp(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	began := time.Now()
	d, _ := r.dial(u, Invite{}, "Session-Expires: 2;refresher=uas")
	r.respond(r.request(wire.BYE), 200, "")
	if took := time.Since(began); took < 1200*time.Millisecond {
		t.Errorf("hung up after %v, want 2 s less a third", took)
	}
	await(t, "the end", d.Done())
	if !d.ByRemote() {
		t.Error("the far end was lost, ByRemote is false")
	}
}

func TestRefreshWithoutAnswerHangsUp(t *testing.T) {
	t.Parallel()
	for _, status := range []int{0, 481} {
		r, u := newRaw(t, nil), newUA(t, Options{T1: quick})
		d, _ := r.dial(u, Invite{}, "Session-Expires: 2;refresher=uac", "Allow: UPDATE")
		if update := r.request(wire.UPDATE); status != 0 {
			r.respond(update, status, "")
		} else {
			r.request(wire.BYE)
		}
		await(t, "the end", d.Done())
	}
}

func TestRefreshWaitsForAnOffer(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	d, _ := r.dial(u, Invite{}, "Session-Expires: 4;refresher=uac")
	r.respond(r.request(wire.INVITE), 491, "")
	again := r.request(wire.INVITE)
	for again.CSeq().SeqNo < 3 { // repetitions of the first
		again = r.request(wire.INVITE)
	}
	r.accept(again, "", "Session-Expires: 90;refresher=uac")
	r.request(wire.ACK)
	if d.over() {
		t.Error("the call is over")
	}
}

func TestInviteThatIsTooBrief(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	got := r.invite(within(t, 10*time.Second), u, Invite{})
	first := r.request(wire.INVITE)
	r.respond(first, 422, "x", "Min-SE: 3600")
	r.request(wire.ACK)
	second := r.request(wire.INVITE)
	if headerValue(second, "Session-Expires") != "3600" || headerValue(second, "Min-SE") != "3600" ||
		second.CSeq().SeqNo != first.CSeq().SeqNo+1 || second.CallID().Value() != first.CallID().Value() {
		t.Errorf("the second INVITE:\n%s", second)
	}
	r.respond(second, 422, "x", "Min-SE: 7200")
	var status *StatusError
	if o := <-got; !errors.As(o.err, &status) || status.Status != 422 {
		t.Errorf("%v, want 422 after the second", o.err)
	}
}

func TestTimerOfACallToUs(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		asks, want, require string
		status              int
	}{
		"none":           {"", "", "", 200},
		"knows of it":    {"Supported: timer\n", "1800;refresher=uas", "", 200},
		"leaves it open": {"Supported: 100rel\nk: timer\nSession-Expires: 600\n", "", "", 200},
		"asks":           {"Supported: foo, timer\nSession-Expires: 600\n", "600;refresher=uas", "", 200},
		"compact":        {"k: timer\nx: 600;refresher=uac\n", "600;refresher=uac", "timer", 200},
		"refreshes":      {"Supported: timer\nSession-Expires: 7200;refresher=uac\n", "1800;refresher=uac", "timer", 200},
		"wants us to":    {"Supported: timer\nSession-Expires: 600;refresher=uas\n", "600;refresher=uas", "", 200},
		"long minimum":   {"Supported: timer\nSession-Expires: 7200\nMin-SE: 3600\n", "3600;refresher=uas", "", 200},
		"proxy's":        {"Session-Expires: 60\n", "90;refresher=uas", "", 200},
		"too brief":      {"Supported: timer\nSession-Expires: 60\n", "", "", 422},
		"requires":       {"Require: timer\nSession-Expires: 300;refresher=uac\n", "300;refresher=uac", "timer", 200},
		"broken":         {"Supported: timer\nSession-Expires: many\n", "1800;refresher=uas", "", 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, _ := answering(t, Options{})
			r := newRaw(t, u)
			r.send(r.ask("INVITE", "sip:+15550002@127.0.0.1", peerFrom, ourTo, strings.ReplaceAll(name, " ", "-"), 1, tt.asks, offer))
			res := r.status(tt.status)
			if tt.status == 422 {
				if got := headerValue(res, "Min-SE"); got != "90" {
					t.Errorf("Min-SE %q", got)
				}
				return
			}
			want := tt.want
			if name == "leaves it open" { // two Supported headers in two forms: the long one counts
				want = "600;refresher=uas"
			}
			if got := headerValue(res, "Session-Expires"); got != want || headerValue(res, "Require") != tt.require {
				t.Errorf("Session-Expires %q, Require %q; want %q, %q", got, headerValue(res, "Require"), want, tt.require)
			}
			r.ack(res, 1)
		})
	}
}

func TestCalleeTakesRefreshesAndMissesThem(t *testing.T) {
	t.Parallel()
	u, calls := answering(t, Options{MinSE: time.Second})
	r := newRaw(t, u)
	const asks = "Supported: timer\nSession-Expires: 3;refresher=uac\n"
	r.send(r.ask("INVITE", "sip:+15550002@127.0.0.1", peerFrom, ourTo, "refresh", 1, asks, offer))
	res := r.status(200)
	r.ack(res, 1)
	d := <-calls
	began := time.Now()
	for cseq := 2; time.Since(began) < 2500*time.Millisecond; cseq++ { // past the first end
		r.send(r.inside(res, "UPDATE", cseq, asks, ""))
		if got := r.status(200); headerValue(got, "Session-Expires") != "3;refresher=uac" {
			t.Fatalf("answer to the refresh:\n%s", got)
		}
		time.Sleep(200 * time.Millisecond)
	}
	r.send(r.inside(res, "UPDATE", 100, "Supported: timer\nSession-Expires: 0\n", ""))
	r.status(200)
	r.send(r.inside(res, "UPDATE", 101, strings.Replace(asks, "3", "2", 1), ""))
	r.status(200)
	if d.over() {
		t.Fatal("ended although it was refreshed")
	}
	r.respond(r.request(wire.BYE), 200, "") // no further refresh
	await(t, "the end", d.Done())
}

// Two of us keep a call of a short interval up between them.
func TestBothEndsKeepASession(t *testing.T) {
	t.Parallel()
	o := Options{SessionExpires: 2 * time.Second, MinSE: time.Second}
	called, calls := answering(t, o)
	calling := newUA(t, o)
	d, err := calling.Invite(within(t, 10*time.Second), Invite{URI: "sip:1@" + called.Addr().String(), Body: []byte(offer)})
	if err != nil {
		t.Fatal(err)
	}
	other := <-calls
	select {
	case <-d.Done():
		t.Error("the caller's end is over")
	case <-other.Done():
		t.Error("the callee's end is over")
	case <-time.After(3 * time.Second):
	}
	if s := d.State(); s.RemoteCSeq < 2 { // the callee refreshes
		t.Errorf("%d requests of the callee", s.RemoteCSeq)
	}
	if err := d.Bye(within(t, 5*time.Second)); err != nil {
		t.Error(err)
	}
}

func TestUpdateOffers(t *testing.T) {
	t.Parallel()
	r, u := newRaw(t, nil), newUA(t, Options{})
	d, _ := r.dial(u, Invite{})
	got := make(chan error, 1)
	held := strings.Replace(offer, "sendrecv", "sendonly", 1)
	go func() {
		sdp, err := d.Update(within(t, 5*time.Second), []byte(held))
		if err == nil && string(sdp) != answer {
			err = errors.New("answer " + string(sdp))
		}
		got <- err
	}()
	update := r.request(wire.UPDATE)
	if string(update.Body()) != held || contentType(update) != "application/sdp" {
		t.Errorf("UPDATE:\n%s", update)
	}
	r.respondBody(update, 200, "", answer)
	if err := <-got; err != nil {
		t.Error(err)
	}
}
