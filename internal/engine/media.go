package engine

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/callwright/callwright/internal/conversation"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/rtp"
	"github.com/callwright/callwright/internal/sdp"
	"github.com/callwright/callwright/internal/sip"
	"github.com/callwright/callwright/internal/speech"
)

// media is one call's sound and text: the sockets it was offered on and, once
// answered, the leg that carries it. It is the conversation's Line.
type media struct {
	rate        int // hertz of the sound inside, whatever the line's codec
	sound, text *rtp.Socket
	offered     sdp.Options
	offer       *sdp.Session
	leg         *rtp.Leg
	recorder    *recorder
	ear         ear
	codec       string // that was agreed on; "" before
	captions    *captions
	hearing     *hearing  // nil when no engine hears
	detector    *detector // nil when no machine can have answered
	talk        *conversation.Conversation
	silent      atomic.Bool
	partner     atomic.Pointer[media] // whom what is heard goes to, instead of the talk
	terms       sync.Mutex            // of offer and offered, once the call was answered
	fault       func(error)           // is told once of what broke
	startGap    time.Duration
	gap         time.Duration
}

// defaultCodecs are offered over trunks that name none.
var defaultCodecs = []string{"PCMU", "PCMA"}

// openMedia opens the sockets for a call over the trunk, with sound of rate hertz
// inside.
func (e *Engine) openMedia(t domain.Trunk, rate int) (*media, error) {
	ip := e.ua.Addr().Addr()
	m := &media{rate: rate, startGap: e.o.MediaStart, gap: e.o.MediaGap}
	var err error
	if m.sound, err = e.ports.Listen(ip); err != nil {
		return nil, noPort(err)
	}
	shown := ip
	if e.o.ExternalIP != "" {
		if shown, err = netip.ParseAddr(e.o.ExternalIP); err != nil {
			m.close()
			return nil, domain.Invalid("external-ip", "%q is not an IP address", e.o.ExternalIP)
		}
	}
	o := sdp.Options{Addr: shown, AudioPort: int(m.sound.LocalAddr().Port()), Events: true}
	if t.RealtimeText {
		if m.text, err = e.ports.Listen(ip); err != nil {
			m.close()
			return nil, noPort(err)
		}
		o.TextPort = int(m.text.LocalAddr().Port())
		m.captions = newCaptions()
	}
	if err := m.describe(t, o); err != nil {
		m.close()
		return nil, domain.Invalid("codecs", "trunk %s: %v", t.ID, err)
	}
	if m.ear, err = newEar(e.o.VAD, rate); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func noPort(err error) error {
	return domain.Unavailable(time.Second, err, "no UDP port is free for sound; widen --rtp-ports or lower the calls at once")
}

// invitation addresses the call over its trunk.
func (c *call) invitation() (sip.Invite, error) {
	route, err := c.engine.o.Carriers.Route(c.ctx, c.dial.Trunk, c.dial.Call.To)
	if err != nil {
		return sip.Invite{}, err
	}
	return sip.Invite{
		CallID: sip.NewCallID(), URI: route.URI, From: c.dial.Call.From, To: c.dial.Call.To,
		Body: c.media.offer.Bytes(), Username: route.Username, Password: route.Password,
		Reoffer: c.media.reoffer,
		Server:  c.engine.server(c.dial.Trunk.ID),
	}, nil
}

// agree returns what offer and answer come to.
func (c *call) agree() (sdp.Agreed, error) {
	if c.agreed != nil {
		return *c.agreed, nil
	}
	select {
	case <-c.dialog.Confirmed(): // a caller that had us offer answers with its ACK
	case <-c.ctx.Done():
		return sdp.Agreed{}, c.ctx.Err()
	}
	answer, err := sdp.Parse(c.dialog.RemoteSDP())
	if err != nil {
		return sdp.Agreed{}, err
	}
	return sdp.Accept(c.media.offer, answer)
}

// answered joins what the far end's answer agreed on: sound, text, recording.
func (c *call) answered() error {
	agreed, err := c.agree()
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	d := &c.dial.Call
	d.State, d.AnsweredAt = domain.CallInProgress, now
	c.dial.Attempt.State, c.dial.Attempt.Dialog = domain.AttemptAnswered, c.dialog.State().Bytes()
	if d.Record {
		c.media.recorder = newRecorder(c.createRecording, c.media.rate, c.engine.log)
	}
	d.Notes = c.notes
	c.talk.Answered(now)
	c.progress()
	c.media.fault = c.faulted
	if err := c.media.start(c.engine.pacer, agreed, c.talk); err != nil {
		return err
	}
	c.dialog.OnInfo(c.media.info)
	c.dialog.OnAnswer(c.media.reanswered)
	c.dialog.OnReinvite(c.media.reinvite) // a re-INVITE that came before waits for it
	return nil
}

// createRecording opens the file of the call's recording and notes its name. It
// runs on the recorder's goroutine.
func (c *call) createRecording() (domain.RecordingFile, error) {
	id := c.dial.Call.ID // never changes
	file, name, err := c.engine.o.Recordings.Create(context.WithoutCancel(c.ctx), id)
	if err != nil {
		return nil, err
	}
	if !c.engine.o.Service.SaveRecording(id, name) {
		c.log.Error("the name of a recording was lost: the database is too far behind", "recording", name)
	}
	return file, nil
}

// start begins to send and to hear; without a talk, what is heard is for a
// partner only.
func (m *media) start(pacer *rtp.Pacer, agreed sdp.Agreed, talk *conversation.Conversation) error {
	codec, err := codecOf(agreed)
	if err != nil {
		return err
	}
	m.talk = talk
	m.settle(agreed)
	o := rtp.Options{
		Pacer: pacer, Socket: m.sound, Remote: agreed.AudioRemote, Codec: codec, SampleRate: m.rate, Keys: keysOf(agreed.Keys),
		EventPT: uint8(agreed.EventPT), EventInPT: uint8(agreed.EventInPT),
		Control: &rtp.ControlOptions{Mux: agreed.RTCPMux, Remote: agreed.RTCPRemote},
		Tap:     m.tap, OnCue: m.cue, OnMark: m.mark,
		OnDigit:   m.digit,
		OnTimeout: func() { m.silent.Store(true) }, OnFault: m.fault, StartTimeout: m.startGap, Timeout: m.gap,
	}
	if m.text != nil && agreed.TextRemote.IsValid() && agreed.TextPT != 0 {
		o.Text = &rtp.TextOptions{
			Socket: m.text, Remote: agreed.TextRemote, PT: uint8(agreed.TextPT), RedPT: uint8(agreed.RedPT), Keys: keysOf(agreed.TextKeys),
		}
		o.OnText = m.read
		m.text = nil // the leg's now
	} else if m.hearing == nil && talk != nil {
		talk.Deaf()
	}
	m.sound = nil // the leg's now, whatever comes of it
	leg, err := rtp.NewLeg(o)
	if err != nil {
		return err
	}
	m.leg, m.codec = leg, codec.Name
	leg.Hold(agreed.Hold)
	if agreed.Hold && talk != nil {
		talk.Hold(conversation.HeldByFarEnd, true)
	}
	return nil
}

// tap sees each frame of both directions, on the pacer's goroutine.
func (m *media) tap(in, out []int16) {
	if m.recorder != nil {
		m.recorder.tap(in, out)
	}
	if p := m.partner.Load(); p != nil {
		p.relay(in)
		return
	}
	if m.talk == nil {
		return
	}
	if m.hearing != nil {
		m.hearing.take(in)
	}
	m.ear.hear(in, m.talk)
	m.detector.hear(in, m.ear.end.Speaking(), m.talk)
}

// digit takes a key that was pressed, as a telephone event or by INFO.
func (m *media) digit(key rune) {
	if p := m.partner.Load(); p != nil {
		_ = p.leg.SendDigits(string(key)) // a queue of 256 keys that is full
	} else if m.talk != nil {
		m.talk.Digit(string(key))
	}
}

// info takes what the far end says beside the media: keys (RFC 6086).
func (m *media) info(contentType string, body []byte) {
	if key, _, ok := sip.ParseDTMFInfo(contentType, body); ok {
		m.digit(key)
	}
}

// read takes real-time text as it came.
func (m *media) read(block string) {
	if p := m.partner.Load(); p != nil {
		p.leg.SendText(block)
		return
	}
	m.captions.text(block)
}

func (m *media) mark(id int) {
	if m.talk != nil {
		m.talk.Mark(id)
	}
}

func (m *media) cue(text string) {
	m.leg.SendText(text)
	m.talk.Cue(text)
}

// listen passes on what is understood of the caller until ctx is done: by the
// engines that hear, until the far end tells its words itself.
func (m *media) listen(ctx context.Context, talk *conversation.Conversation) {
	words := &attentive{Conversation: talk, detector: m.detector}
	var ears sync.WaitGroup
	defer ears.Wait()
	if m.hearing != nil {
		ears.Go(func() { m.hearing.run(ctx, words) })
	}
	if m.captions == nil {
		return
	}
	stream, err := m.captions.Open(ctx, speech.Format{SampleRate: m.rate})
	if err != nil {
		return // captions always open
	}
	for h := range stream.Heard() {
		if m.hearing != nil && h.Text != "" {
			m.hearing.mute()
		}
		words.Heard(h)
	}
}

// silentFor reports whether no sound has come for too long.
func (m *media) silentFor() bool { return m.silent.Load() }

// stop ends sound and recording, and returns what a reader of the call should
// know about the recording.
func (m *media) stop() string {
	m.close()
	if m.recorder == nil {
		return ""
	}
	r := m.recorder
	m.recorder = nil
	return r.close()
}

// close gives back sockets and goroutines; more calls do nothing.
func (m *media) close() {
	var err error
	if m.leg != nil {
		err = m.leg.Close()
	}
	for _, s := range []**rtp.Socket{&m.sound, &m.text} {
		if *s != nil {
			err = errors.Join(err, (*s).Close())
			*s = nil
		}
	}
	if m.captions != nil {
		err = errors.Join(err, m.captions.Close())
	}
	_ = err // nothing more can be done with sockets that do not close
}

// What the conversation says goes to the leg.

// Enqueue adds sound.
func (m *media) Enqueue(pcm []int16) { m.leg.Playout().Enqueue(pcm) }

// Cue marks a word.
func (m *media) Cue(text string) { m.leg.Playout().Cue(text) }

// Mark marks a place.
func (m *media) Mark(id int) { m.leg.Playout().Mark(id) }

// Pause holds the sound.
func (m *media) Pause() { m.leg.Playout().Pause() }

// Resume goes on.
func (m *media) Resume() { m.leg.Playout().Resume() }

// Cut drops what waits.
func (m *media) Cut() { m.leg.Playout().Cut() }

// Break ends a turn in the text.
func (m *media) Break() { m.leg.SendText(lineBreak) }

var _ conversation.Line = (*media)(nil)
