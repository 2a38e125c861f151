package sip

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestPing(t *testing.T) {
	t.Parallel()
	there, p := newUA(t, Options{TCP: true}), newRaw(t, nil)
	u := newUA(t, Options{T1: quick})
	for _, uri := range []string{"sip:" + there.Addr().String(), "sip:" + there.Addr().String() + ";transport=tcp"} {
		if pong, err := u.Ping(within(t, 5*time.Second), uri); err != nil || pong.Status != 200 || pong.RTT <= 0 {
			t.Errorf("%s: %+v, %v", uri, pong, err)
		}
	}
	if _, err := u.Ping(within(t, 10*time.Second), "sip:"+p.addr()); !errors.Is(err, ErrTimeout) {
		t.Errorf("a silent one: %v", err)
	}
	if _, err := u.Ping(context.Background(), "sip:a b"); err == nil {
		t.Error("a bad URI is pinged")
	}
	// The next server of the name answers for it.
	if pong, err := between(t, Options{T1: quick}, p.at(), there.Addr()).Ping(within(t, 5*time.Second), "sip:domain"); err != nil || pong.Status != 200 {
		t.Errorf("of two servers: %+v, %v", pong, err)
	}
}
