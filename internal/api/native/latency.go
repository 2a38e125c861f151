package native

import (
	"slices"

	"github.com/callwright/callwright/internal/domain"
)

// Latency is how the time went between a turn of the caller and the answer to it.
type Latency struct {
	EotAtMs         int64 `json:"eotAtMs" doc:"Since the answer of the call: when the end of the caller's speech was decided. 0 for a greeting."`
	EndpointMs      int64 `json:"endpointMs" doc:"The silence before that."`
	STTMs           int64 `json:"sttMs" doc:"Until the caller's last words were there."`
	RouteMs         int64 `json:"routeMs" doc:"The model that chooses the way."`
	ToolMs          int64 `json:"toolMs" doc:"Requests and tools."`
	LLMFirstTokenMs int64 `json:"llmFirstTokenMs" doc:"The model, until its first token."`
	LLMTextMs       int64 `json:"llmTextMs" doc:"The model, until it had said something."`
	TTSFirstAudioMs int64 `json:"ttsFirstAudioMs" doc:"The voice, until its first sound."`
	HeldMs          int64 `json:"heldMs" doc:"The answer was ready and the caller had the floor."`
	FirstRTPMs      int64 `json:"firstRtpMs" doc:"From the end of speech to the first packet of the answer."`
	OwnMs           int64 `json:"ownMs" doc:"What of firstRtpMs is neither an engine's nor the caller's."`
	ResponseMs      int64 `json:"responseMs" doc:"What the caller waited: endpointMs and firstRtpMs."`
	Fillers         int   `json:"fillers" doc:"Said meanwhile, so that the line is not dead."`
}

// CallLatency sums up how long the agent took in a call.
type CallLatency struct {
	GreetingMs    *int64 `json:"greetingMs" doc:"From the answer of the call to the first packet of the greeting; null when the agent did not greet."`
	Answers       int    `json:"answers" doc:"Turns of the agent that answered one of the caller."`
	ResponseP50Ms *int64 `json:"responseP50Ms"`
	ResponseMaxMs *int64 `json:"responseMaxMs"`
	OwnP50Ms      *int64 `json:"ownP50Ms"`
	OwnMaxMs      *int64 `json:"ownMaxMs"`
}

func latency(l *domain.TurnLatency) *Latency {
	if l == nil {
		return nil
	}
	return &Latency{
		EotAtMs: l.EotAt, EndpointMs: l.Endpoint, STTMs: l.STT, RouteMs: l.Route, ToolMs: l.Tool,
		LLMFirstTokenMs: l.LLMFirstToken, LLMTextMs: l.LLMText, TTSFirstAudioMs: l.TTSFirstAudio,
		HeldMs: l.Held, FirstRTPMs: l.FirstRTP, OwnMs: l.Own, ResponseMs: l.Response(), Fillers: l.Fillers,
	}
}

// callLatency is nil for a call in which the agent said nothing.
func callLatency(turns []domain.Turn) *CallLatency {
	var out CallLatency
	var responses, own []int64
	for _, t := range turns {
		switch l := t.Latency; {
		case l == nil:
		case l.EotAt == 0:
			out.GreetingMs = &l.FirstRTP
		default:
			responses, own = append(responses, l.Response()), append(own, l.Own)
		}
	}
	out.Answers = len(responses)
	if out.Answers == 0 && out.GreetingMs == nil {
		return nil
	}
	out.ResponseP50Ms, out.ResponseMaxMs = middleAndMost(responses)
	out.OwnP50Ms, out.OwnMaxMs = middleAndMost(own)
	return &out
}

// middleAndMost returns the median, the lower of two, and the maximum.
func middleAndMost(values []int64) (middle, most *int64) {
	if len(values) == 0 {
		return nil, nil
	}
	slices.Sort(values)
	return &values[(len(values)-1)/2], &values[len(values)-1]
}
