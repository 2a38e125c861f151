package rtp

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/callwright/callwright/internal/audio"
)

// What is in this file follows a new offer and answer in mid-call.

// Together has change set several of them between two packets: none goes half by
// the old terms, as the new codec to the old address or under the old key would.
// It must not be called from a function of Options, nor change wait for one.
func (l *Leg) Together(change func() error) error {
	l.ticking.Lock()
	defer l.ticking.Unlock()
	return change()
}

// SetRemote takes the address of a new SDP, as after a re-INVITE.
func (l *Leg) SetRemote(addr netip.AddrPort) { l.o.Socket.SetRemote(addr) }

// SetTextRemote takes the address for text of a new SDP.
func (l *Leg) SetTextRemote(addr netip.AddrPort) {
	if l.text != nil {
		l.text.socket.SetRemote(addr)
	}
}

// SetKeys takes the keys of a new SDP, of sound and text; nil changes nothing.
func (l *Leg) SetKeys(sound, text *Keys) error {
	var err error
	if sound != nil {
		err = l.o.Socket.SetKeys(*sound)
	}
	if text != nil && l.o.Text != nil {
		err = errors.Join(err, l.o.Text.Socket.SetKeys(*text))
	}
	return err
}

// SetCodec changes what is sent, as the peer's new SDP says: the codec, with the
// payload type that was agreed on, and the payload types of events sent and
// received, 0 for none. The same codec goes on without a seam.
func (l *Leg) SetCodec(c audio.Codec, eventPT, eventInPT uint8) error {
	if c.ClockRate != clockRate {
		return fmt.Errorf("rtp: codec %q with a clock of %d Hz cannot be sent; a leg's runs at %d Hz", c.Name, c.ClockRate, clockRate)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.speakIn(c); err != nil {
		return err
	}
	l.in.voices.agreed = c
	l.eventP, l.o.EventInPT = eventPT, eventInPT
	if eventPT != 0 {
		l.in.tones = nil
	} else if l.in.tones == nil {
		l.in.tones = audio.NewDTMFDetector(l.o.SampleRate)
	}
	return nil
}

// speakIn sets the codec that is sent. What the one before remembers of the
// stream is kept when only the payload type is another.
func (l *Leg) speakIn(c audio.Codec) error {
	if l.voice == nil || l.voice.name != c.Name {
		voice, err := newOutVoice(c, l.o.SampleRate)
		if err != nil {
			return err
		}
		l.voice = voice
	}
	l.voiceP = c.PayloadType
	return nil
}

// Hold stops sending, sound and text, and the media timeout; Playout stays
// where it is. What still comes in is heard. Hold(false) goes on.
func (l *Leg) Hold(on bool) { l.hold.Store(on) }

// ExpectNothing stops the media timeout, and nothing else: the peer was told not
// to send. ExpectNothing(false) goes on.
func (l *Leg) ExpectNothing(on bool) { l.silent.Store(on) }
