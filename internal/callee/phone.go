// Package callee is a simulated phone: a SIP user agent that answers calls as
// one of ten persons, over the same signalling, sound and text as any other.
package callee

import (
	"context"
	"errors"
	"hash/fnv"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/rtp"
	"github.com/callwright/callwright/internal/sdp"
	"github.com/callwright/callwright/internal/sip"
	"github.com/callwright/callwright/internal/speech"
)

// Options are what a simulated phone needs.
type Options struct {
	Listen   netip.AddrPort // port 0 takes any free one
	TTS      speech.TTS     // required
	Voice    string
	Codecs   []string      // that it takes, best first; nil is PCMU, PCMA
	Ring     time.Duration // before it answers; 0 is 100 ms
	OnReport func(Report)  // is told each call when it is over; nil is nobody
	Logger   *slog.Logger
}

// Report is what one call was to the phone.
type Report struct {
	Number  string
	Persona string
	CallID  string   // of SIP
	Heard   []string // the agent's turns, as the text arrived
	Said    []string
}

// Phone is every simulated phone at once: the number that is called tells who
// answers.
type Phone struct {
	o     Options
	log   *slog.Logger
	ua    *sip.UA
	ports *rtp.Ports
	pacer *rtp.Pacer
	ctx   context.Context
	stop  context.CancelFunc
	calls sync.WaitGroup
	ready chan struct{} // closed when all of the above is set
}

// Open starts the phone.
func Open(o Options) (*Phone, error) {
	if len(o.Codecs) == 0 {
		o.Codecs = []string{"PCMU", "PCMA"}
	}
	if o.Ring == 0 {
		o.Ring = 100 * time.Millisecond
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	ports, err := rtp.NewPorts(rtp.PortRange{})
	if err != nil {
		return nil, err
	}
	p := &Phone{o: o, log: o.Logger, ports: ports, pacer: rtp.NewPacer(), ready: make(chan struct{})}
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.ua, err = sip.New(sip.Options{Listen: o.Listen, UserAgent: "Callwright-Sandbox", Logger: o.Logger, OnInvite: p.onInvite})
	if err != nil {
		p.stop()
		p.pacer.Close()
		return nil, err
	}
	close(p.ready)
	return p, nil
}

// Addr is where the phone is called.
func (p *Phone) Addr() netip.AddrPort { return p.ua.Addr() }

// Close hangs up all calls and ends the phone.
func (p *Phone) Close() error {
	p.stop()
	p.calls.Wait()
	p.pacer.Close()
	return p.ua.Close()
}

func (p *Phone) onInvite(in *sip.Incoming) {
	p.calls.Go(func() { p.take(in) })
}

// take lets the person who was called decide.
func (p *Phone) take(in *sip.Incoming) {
	select {
	case <-p.ready: // a call can come before Open has returned
	case <-p.ctx.Done():
		return
	}
	who := personaOf(in.To)
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	switch {
	case who.status != 0:
		p.note(in.Reject(who.status, who.reason))
	case who.mute:
		p.note(in.Ring())
		select {
		case <-in.Canceled():
		case <-ctx.Done():
			p.note(in.Reject(480, "Temporarily Unavailable"))
		}
	default:
		p.answer(ctx, in, who)
	}
}

func (p *Phone) answer(ctx context.Context, in *sip.Incoming, who persona) {
	p.note(in.Ring())
	select {
	case <-time.After(p.o.Ring):
	case <-in.Canceled():
		return
	case <-ctx.Done():
		return
	}
	c, err := p.open(in)
	if err != nil {
		p.log.Warn("the simulated phone refuses a call", "err", err)
		p.note(in.Reject(488, "Not Acceptable Here"))
		return
	}
	defer c.close()
	dialog, err := in.Answer(c.answer.Bytes())
	if err != nil {
		return // canceled meanwhile
	}
	dialog.OnReinvite(c.reinvite)
	p.carry(ctx, dialog, c, who)
	if p.o.OnReport != nil {
		c.talk.mu.Lock()
		report := Report{Number: in.To, Persona: who.name, CallID: in.CallID, Heard: c.talk.heard, Said: c.talk.said}
		if c.talk.line != "" {
			report.Heard = append(report.Heard, c.talk.line)
		}
		c.talk.mu.Unlock()
		p.o.OnReport(report)
	}
}

// carry lets the person talk until one side hangs up.
func (p *Phone) carry(ctx context.Context, dialog *sip.Dialog, c *media, who persona) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	if c.talk.typist != nil {
		work.Go(func() { c.talk.typist.run(ctx) })
	}
	work.Go(func() {
		select {
		case <-dialog.Done():
			cancel()
		case <-ctx.Done():
		}
	})
	c.talk.began = time.Now()
	who.talk(ctx, c.talk)
	c.talk.linger(ctx)
	select {
	case <-dialog.Done():
	default:
		bye, stop := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer stop()
		p.note(dialog.Bye(bye))
	}
}

func (p *Phone) note(err error) {
	if err != nil {
		p.log.Debug("simulated phone", "err", err)
	}
}

// media is one call's sound and text.
type media struct {
	talk   *talk
	leg    *rtp.Leg
	offer  sdp.Options
	answer *sdp.Session
}

// open answers the offer of a call and opens what it agreed on.
func (p *Phone) open(in *sip.Incoming) (*media, error) {
	offer, err := sdp.Parse(in.Body)
	if err != nil {
		return nil, err
	}
	ip := p.ua.Addr().Addr()
	sound, err := p.ports.Listen(ip)
	if err != nil {
		return nil, err
	}
	text, err := p.ports.Listen(ip)
	if err != nil {
		_ = sound.Close() // nothing was sent on it
		return nil, err
	}
	m := &media{talk: newTalk(p)}
	m.offer = sdp.Options{Addr: ip, AudioPort: int(sound.LocalAddr().Port()), Codecs: p.o.Codecs, Events: true, TextPort: int(text.LocalAddr().Port())}
	var agreed sdp.Agreed
	if m.answer, agreed, err = sdp.Answer(offer, m.offer); err != nil {
		_, _ = sound.Close(), text.Close()
		return nil, err
	}
	if err := m.start(p, sound, text, agreed, seed(in.CallID)); err != nil {
		return nil, err
	}
	return m, nil
}

// seed makes each call's captions its own, and the same again for the same call.
func seed(callID string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(callID)) // a hash never fails
	return h.Sum64()
}

func (m *media) start(p *Phone, sound, text *rtp.Socket, agreed sdp.Agreed, seed uint64) error {
	codec, ok := audio.CodecByName(agreed.Codec.Name)
	if !ok {
		return errors.Join(sdp.ErrNoCodec, sound.Close(), text.Close())
	}
	t := m.talk
	o := rtp.Options{
		Pacer: p.pacer, Socket: sound, Remote: agreed.AudioRemote, Codec: codec, EventPT: uint8(agreed.EventPT),
		OnText: t.onText,
		OnMark: func(id int) {
			select {
			case t.marks <- id:
			default:
			}
		},
	}
	if agreed.TextRemote.IsValid() {
		o.Text = &rtp.TextOptions{Socket: text, Remote: agreed.TextRemote, PT: uint8(agreed.TextPT), RedPT: uint8(agreed.RedPT)}
		t.typist = newTypist(seed, func(s string) { t.leg.SendText(s) })
		o.OnCue = t.typist.played
	} else {
		_ = text.Close() // not offered
	}
	leg, err := rtp.NewLeg(o)
	if err != nil {
		return err
	}
	t.leg, m.leg = leg, leg
	return nil
}

// reinvite answers a new offer in the call: hold, or another address.
func (m *media) reinvite(body []byte) ([]byte, error) {
	offer, err := sdp.Parse(body)
	if err != nil {
		return nil, err
	}
	m.offer.ID, m.offer.Version = m.answer.ID, m.answer.Version+1
	answer, agreed, err := sdp.Answer(offer, m.offer)
	if err != nil {
		return nil, err
	}
	m.answer = answer
	m.leg.SetRemote(agreed.AudioRemote)
	m.leg.Hold(agreed.Hold)
	return answer.Bytes(), nil
}

func (m *media) close() { _ = m.leg.Close() } // the call is over either way
