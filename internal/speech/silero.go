package speech

import (
	"github.com/callwright/callwright/internal/domain"
)

// SileroVAD is the voice detector of the Silero team (version 5, MIT licence,
// https://github.com/snakers4/silero-vad), a small network, run in Go. It looks
// at 32 ms at a time, so a frame's probability may be up to 12 ms old. It
// allocates nothing per frame.
type SileroVAD struct {
	net      *sileroNet
	decimate int // samples of the input that make one at vadRate
	fill     int // of the chunk
	last     float32
	scratch  sileroScratch
}

// NewSilero returns a detector for frames at rate: 8,000 hertz or a whole
// multiple of it. Another rate, or a build without the network's weights, is
// CodeInvalid.
func NewSilero(rate int) (*SileroVAD, error) {
	if rate < vadRate || rate%vadRate != 0 {
		return nil, domain.Invalid("sampleRate", "voice detection needs a multiple of %d Hz, not %d", vadRate, rate)
	}
	net, err := openSilero()
	if err != nil {
		return nil, err
	}
	return &SileroVAD{net: net, decimate: rate / vadRate}, nil
}

// Reset forgets all that was heard.
func (v *SileroVAD) Reset() { *v = SileroVAD{net: v.net, decimate: v.decimate} }

// Push takes one frame and reports the probability, 0 to 1, that it is speech.
func (v *SileroVAD) Push(pcm []int16) float32 {
	signal := &v.scratch.signal
	for len(pcm) >= v.decimate {
		var sum int32
		for _, s := range pcm[:v.decimate] {
			sum += int32(s)
		}
		pcm = pcm[v.decimate:]
		signal[sileroContext+v.fill] = float32(sum) / float32(v.decimate) / (1 << 15)
		if v.fill++; v.fill == sileroChunk {
			v.last = v.net.run(&v.scratch)
			copy(signal[:sileroContext], signal[sileroChunk:])
			v.fill = 0
		}
	}
	return v.last
}

// The words for the detectors that there are.
const (
	VADSpectral = "spectral"
	VADSilero   = "silero"
)

// OpenVAD returns the detector called name, "" being the default, for frames at
// rate. An unknown name or rate, or one that this build lacks, is CodeInvalid.
func OpenVAD(name string, rate int) (VAD, error) {
	var v VAD
	var err error
	switch name {
	case "", VADSpectral:
		v, err = NewVAD(rate)
	case VADSilero:
		v, err = NewSilero(rate)
	default:
		err = domain.Invalid("vad", "there is no voice detector %q; there are %s and %s", name, VADSpectral, VADSilero)
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

var _ VAD = (*SileroVAD)(nil)
