package domain

// Role says who spoke a turn.
type Role string

// The two roles.
const (
	RoleAgent  Role = "agent"
	RoleCaller Role = "caller"
)

// NoteOptOut is the Note of a turn in which the caller pressed the key not to be
// called again.
const NoteOptOut = "pressed the key not to be called again"

// Turn is what one side said without the other taking over. The agent's text is
// what was really played. Times are milliseconds since the call was answered.
type Turn struct {
	CallID      ID
	Sequence    int // 1 for the first turn
	Role        Role
	Text        string
	StartMs     int64
	EndMs       int64
	Interrupted bool         // the agent was cut off by the caller
	Note        string       // "" or what was special: the placeholder voice spoke
	NodeID      string       // the flow's node that made the agent speak, or that heard the caller
	Latency     *TurnLatency // of a turn of the agent that answers one of the caller, or greets; nil of others
}

// TurnLatency is how the time went between the caller's turn and the agent's
// answer to it, in milliseconds. The clock starts when the end of the caller's
// speech was decided, and stops when the first packet of the answer's sound was
// sent. For a greeting it starts with the call's answer.
type TurnLatency struct {
	EotAt         int64 // since the call was answered: when the end of speech was decided
	Endpoint      int64 // before that: the silence that was waited for
	STT           int64 // until the last words were there
	Route         int64 // the model that chooses the way
	Tool          int64 // requests and tools that the answer needed
	LLMFirstToken int64 // the model's first token, over all rounds
	LLMText       int64 // the model's first text that can be spoken, over all rounds
	TTSFirstAudio int64 // the voice's first sound
	Held          int64 // the answer was ready and the caller had the floor
	FirstRTP      int64 // all of it: from the end of speech to the first packet
	Own           int64 // what of FirstRTP is neither an engine's nor the caller's
	Fillers       int   // said meanwhile, so that the line is not dead
}

// Response is what the caller waited for the answer: from the last sound of
// their own to the first of the agent, in milliseconds.
func (l *TurnLatency) Response() int64 { return l.Endpoint + l.FirstRTP }
