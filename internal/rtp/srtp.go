package rtp

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/pion/rtcp"
	pionrtp "github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// The suites of SRTP that are known, by their names in SDP (RFC 4568 §6.2).
const (
	SuiteSHA80 = "AES_CM_128_HMAC_SHA1_80"
	SuiteSHA32 = "AES_CM_128_HMAC_SHA1_32"
)

const (
	masterKeySize  = 16
	masterSaltSize = 14
	// KeySize is the length in bytes of the master key and salt of a suite.
	KeySize = masterKeySize + masterSaltSize

	maxTrailer  = 32 // bytes that protection adds to a packet: tag, index
	replayDepth = 128
	maxSources  = 16 // SSRCs of one key
)

// errUnauthentic says that a packet was not made with the peer's key, or is an
// old one again.
var errUnauthentic = errors.New("rtp: the packet is not authentic")

// Keys secure one stream in both directions (RFC 3711). The keys came by SDP
// (RFC 4568).
type Keys struct {
	Suite         string // SuiteSHA80 or SuiteSHA32
	Send, Receive []byte // KeySize bytes: the master key, then the salt
}

func profile(suite string) (srtp.ProtectionProfile, error) {
	switch suite {
	case SuiteSHA80:
		return srtp.ProtectionProfileAes128CmHmacSha1_80, nil
	case SuiteSHA32:
		return srtp.ProtectionProfileAes128CmHmacSha1_32, nil
	}
	return 0, fmt.Errorf("rtp: SRTP suite %q is not known; use %s or %s", suite, SuiteSHA80, SuiteSHA32)
}

func newContext(suite string, key []byte) (*srtp.Context, error) {
	p, err := profile(suite)
	if err != nil {
		return nil, err
	}
	if len(key) != KeySize {
		return nil, fmt.Errorf("rtp: an SRTP key of %d bytes; %s takes %d", len(key), suite, KeySize)
	}
	return srtp.CreateContext(key[:masterKeySize], key[masterKeySize:], p,
		srtp.SRTPReplayProtection(replayDepth), srtp.SRTCPReplayProtection(replayDepth))
}

// sealer protects what is sent.
type sealer struct {
	suite  string
	key    []byte
	ctx    *srtp.Context
	header pionrtp.Header
	out    [maxPacket + maxTrailer]byte
}

func newSealer(suite string, key []byte) (*sealer, error) {
	ctx, err := newContext(suite, key)
	return &sealer{suite: suite, key: slices.Clone(key), ctx: ctx}, err
}

func (s *sealer) is(suite string, key []byte) bool {
	return s != nil && s.suite == suite && bytes.Equal(s.key, key)
}

// rtp returns the protected form of a packet, valid until the next.
func (s *sealer) rtp(packet []byte) ([]byte, error) {
	return s.ctx.EncryptRTP(s.out[:0], packet, &s.header)
}

// rtcp returns the protected form of a compound packet, valid until the next.
func (s *sealer) rtcp(packet []byte) ([]byte, error) {
	return s.ctx.EncryptRTCP(s.out[:0], packet, nil)
}

// opener checks and decrypts what is received. A stream that is new is tried in
// a context of its own first, so that forged packets leave nothing behind.
type opener struct {
	suite string
	key   []byte

	mu      sync.Mutex
	ctx     *srtp.Context
	known   []uint32 // sources that proved authentic, of RTP and RTCP
	scratch [maxPacket]byte
}

func newOpener(suite string, key []byte) (*opener, error) {
	ctx, err := newContext(suite, key)
	return &opener{suite: suite, key: slices.Clone(key), ctx: ctx}, err
}

func (o *opener) is(suite string, key []byte) bool {
	return o != nil && o.suite == suite && bytes.Equal(o.key, key)
}

// open returns the plain RTP packet, in place.
func (o *opener) open(raw []byte, h *pionrtp.Header) ([]byte, error) {
	return o.try(h.SSRC, raw, func(ctx *srtp.Context, dst []byte) ([]byte, error) { return ctx.DecryptRTP(dst, raw, h) })
}

// openControl returns the plain RTCP packet, in place.
func (o *opener) openControl(raw []byte) ([]byte, error) {
	var h rtcp.Header
	if len(raw) < reportHeaderSize || h.Unmarshal(raw) != nil {
		return nil, errUnauthentic
	}
	return o.try(senderOf(raw), raw, func(ctx *srtp.Context, dst []byte) ([]byte, error) { return ctx.DecryptRTCP(dst, raw, &h) })
}

func (o *opener) try(ssrc uint32, raw []byte, decrypt func(*srtp.Context, []byte) ([]byte, error)) ([]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.Contains(o.known, ssrc) {
		if len(o.known) == maxSources {
			return nil, errUnauthentic
		}
		probe, err := newContext(o.suite, o.key)
		if err != nil {
			return nil, err
		}
		if _, err := decrypt(probe, o.scratch[:0]); err != nil {
			return nil, errUnauthentic
		}
		o.known = append(o.known, ssrc)
	}
	plain, err := decrypt(o.ctx, raw[:0])
	if err != nil {
		return nil, errUnauthentic
	}
	return plain, nil
}
