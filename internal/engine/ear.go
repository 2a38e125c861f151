package engine

import (
	"time"

	"github.com/callwright/callwright/internal/conversation"
	"github.com/callwright/callwright/internal/speech"
)

// ear finds where the caller's voice starts and ends. It lives on the pacer's
// goroutine.
type ear struct {
	rate int // hertz
	vad  speech.VAD
	end  *speech.Endpointer
}

// onset is how long a voice must sound before the agent pauses for it. That is
// quick, for a pause is no decision: words confirm it, or the agent goes on. A
// word that begins with a hiss is heard a tenth of a second before its voice.
const onset = 60 * time.Millisecond

// newEar listens at rate hertz with the voice detector of that name, "" being the
// default.
func newEar(detector string, rate int) (ear, error) {
	vad, err := speech.OpenVAD(detector, rate)
	if err != nil {
		return ear{}, err
	}
	return ear{rate: rate, vad: vad, end: speech.NewEndpointer(rate, speech.EndpointOptions{Onset: onset})}, nil
}

// hear takes one frame and tells the conversation of edges.
func (e *ear) hear(pcm []int16, talk *conversation.Conversation) {
	edge, found := e.end.Push(e.vad.Push(pcm))
	if !found {
		return
	}
	ago := time.Duration(edge.Known-edge.At) * time.Second / time.Duration(e.rate)
	at := time.Now().Add(-ago)
	switch edge.Kind {
	case speech.SpeechStart:
		talk.SoundOn(at)
	case speech.SpeechEnd:
		talk.SoundOff(at)
	}
}
