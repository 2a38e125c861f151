package sip

import (
	"errors"
	"fmt"
	"net"

	"github.com/callwright/callwright/internal/sip/transport"
)

// send writes a request to its hop.
func (u *UA) send(to hop, data []byte) error { return u.write(to, data, true) }

// reply writes a response to where its request came from. One that is lost is
// asked for again by the request's retransmission, so there is no error.
func (u *UA) reply(to hop, data []byte) {
	if err := u.write(to, data, false); err != nil {
		u.log.Debug("sip: response not sent", "error", err)
	}
}

func (u *UA) write(to hop, data []byte, request bool) error {
	if to.Reliable() {
		return u.streams.Send(to, data, request)
	}
	return u.packets.Send(to.Addr, data)
}

// lost makes a failure of the transport an ErrTimeout, for that is what it comes
// to (RFC 3261 section 8.1.3.1). Other errors stay as they are.
func lost(err error) error {
	switch {
	case errors.Is(err, net.ErrClosed) && !errors.Is(err, transport.ErrUnreachable):
		return ErrClosed
	case errors.Is(err, transport.ErrUnreachable) && !errors.Is(err, ErrTimeout):
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return err
}

// notSent is what becomes of an error of send.
func notSent(err error) error {
	if err = lost(err); errors.Is(err, ErrTimeout) || errors.Is(err, ErrClosed) {
		return err
	}
	return fmt.Errorf("%w: %w: %w", ErrTimeout, ErrUnreachable, err)
}
