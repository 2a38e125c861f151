package engine

import (
	"fmt"
	"slices"

	"github.com/callwright/callwright/internal/audio"
	"github.com/callwright/callwright/internal/conversation"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/rtp"
	"github.com/callwright/callwright/internal/sdp"
)

// What a trunk's srtp may say.
const (
	srtpOptional = "optional" // offered, and done without if the far end refuses
	srtpRequired = "required"
)

// describe makes the first offer of a call over the trunk. o says all but codecs
// and keys.
func (m *media) describe(t domain.Trunk, o sdp.Options) error {
	if o.Codecs = t.Codecs; len(o.Codecs) == 0 {
		o.Codecs = defaultCodecs
	}
	if t.SRTP == srtpOptional || t.SRTP == srtpRequired {
		o.Crypto, o.TextCrypto, o.RequireSRTP = sdp.NewCrypto(), sdp.NewCrypto(), t.SRTP == srtpRequired
	}
	m.offered = o
	return m.propose()
}

// propose makes m.offered the offer of the call.
func (m *media) propose() error {
	offer, err := sdp.NewOffer(m.offered)
	if err != nil {
		return err
	}
	m.offer = offer
	m.offered.ID, m.offered.Version = offer.ID, offer.Version
	return nil
}

// reoffer is the offer for a far end that refused the first with a status: one
// without SRTP, if the trunk can do without and the far end says that the media
// is the trouble (RFC 3261 sections 21.4.26 and 21.6.4); else nil.
func (m *media) reoffer(status int) []byte {
	if status != 488 && status != 606 {
		return nil
	}
	m.terms.Lock()
	defer m.terms.Unlock()
	return m.plainly()
}

// plainly is the offer without SRTP; nil when there are no keys in the offer, or
// the trunk requires them.
func (m *media) plainly() []byte {
	if m.offered.Crypto == nil || m.offered.RequireSRTP {
		return nil
	}
	m.offered.Crypto, m.offered.TextCrypto = nil, nil
	m.offered.Version++
	if m.propose() != nil {
		return nil // an offer was made of the same options before
	}
	return m.offer.Bytes()
}

// settle keeps to what was agreed on: a call that is protected stays so, with
// our key as it is (RFC 4568 section 7.1.4), and one that is not has no keys.
func (m *media) settle(agreed sdp.Agreed) {
	if agreed.Keys == nil {
		m.offered.Crypto, m.offered.TextCrypto = nil, nil
		return
	}
	m.offered.RequireSRTP = true
	m.offered.Crypto = slices.DeleteFunc(slices.Clone(m.offered.Crypto), func(c sdp.Crypto) bool { return c.Suite != agreed.Keys.Suite })
}

// reinvite answers a new offer of the far end: hold, or another address, codec
// or key. A far end that asks for an offer gets the one it knows (RFC 3261
// section 14.2); its answer comes to reanswered.
func (m *media) reinvite(body []byte) ([]byte, error) {
	m.terms.Lock()
	defer m.terms.Unlock()
	if len(body) == 0 {
		return m.offer.Bytes(), nil
	}
	offer, err := sdp.Parse(body)
	if err != nil {
		return nil, err
	}
	m.offered.Version++
	answer, agreed, err := sdp.Answer(offer, m.offered)
	if err != nil {
		return nil, err
	}
	if err := m.apply(agreed); err != nil {
		return nil, err
	}
	m.offer = answer
	return answer.Bytes(), nil
}

// reanswered takes the answer to an offer that the far end had asked for.
func (m *media) reanswered(body []byte) error {
	answer, err := sdp.Parse(body)
	if err != nil {
		return err
	}
	m.terms.Lock()
	defer m.terms.Unlock()
	agreed, err := sdp.Accept(m.offer, answer)
	if err != nil {
		return err
	}
	return m.apply(agreed)
}

// apply has the leg do what was agreed anew, and the talk stand still while the
// far end does not listen.
func (m *media) apply(agreed sdp.Agreed) error {
	codec, err := codecOf(agreed)
	if err != nil {
		return err
	}
	err = m.leg.Together(func() error {
		if err := m.leg.SetKeys(keysOf(agreed.Keys), keysOf(agreed.TextKeys)); err != nil {
			return err
		}
		if err := m.leg.SetCodec(codec, uint8(agreed.EventPT), uint8(agreed.EventInPT)); err != nil {
			return err
		}
		m.leg.SetRemote(agreed.AudioRemote)
		if agreed.TextRemote.IsValid() {
			m.leg.SetTextRemote(agreed.TextRemote)
		}
		m.leg.Hold(agreed.Hold)
		m.leg.ExpectNothing(!agreed.Direction.Receives())
		return nil
	})
	if err != nil {
		return err
	}
	m.settle(agreed)
	if m.talk != nil {
		m.talk.Hold(conversation.HeldByFarEnd, agreed.Hold)
	}
	return nil
}

// rateOf is the rate of the sound inside, in hertz, for calls over the trunk:
// that of its widest codec. A narrower one is resampled on the line, so that
// what is prepared before the answer fits whatever the answer is.
func rateOf(t domain.Trunk) int {
	rate := audio.PCMU.SampleRate
	for _, name := range t.Codecs {
		if c, ok := audio.CodecByName(name); ok {
			rate = max(rate, c.SampleRate)
		}
	}
	return rate
}

// codecOf is the codec that was agreed on, with its payload type.
func codecOf(agreed sdp.Agreed) (audio.Codec, error) {
	codec, ok := audio.CodecByName(agreed.Codec.Name)
	if !ok {
		return codec, fmt.Errorf("%w: the far end chose %s", sdp.ErrNoCodec, agreed.Codec.Name)
	}
	codec.PayloadType = uint8(agreed.Codec.PT)
	return codec, nil
}

func keysOf(s *sdp.Secured) *rtp.Keys {
	if s == nil {
		return nil
	}
	return &rtp.Keys{Suite: s.Suite, Send: s.Ours, Receive: s.Theirs}
}
