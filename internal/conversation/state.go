package conversation

import "fmt"

// State says whose turn it is.
type State string

// The states of a conversation.
const (
	Greeting  State = "greeting"  // the agent speaks first
	Idle      State = "idle"      // nobody speaks; the caller is waited for
	Listening State = "listening" // the caller speaks
	Waiting   State = "waiting"   // the caller's sound ended; its words are awaited
	Thinking  State = "thinking"  // the caller's turn is worked on
	Speaking  State = "speaking"  // the agent speaks
	Ending    State = "ending"    // the agent says goodbye and does not listen
	Over      State = "over"      // the call has ended
)

// Input is what moves a conversation from state to state.
type Input string

// The inputs.
const (
	InGreet   Input = "greet"   // the flow begins with something to say
	InSay     Input = "say"     // the flow has something to say
	InPlayed  Input = "played"  // all of it was played
	InVoice   Input = "voice"   // the caller's voice, or first character, is there
	InQuiet   Input = "quiet"   // the caller's sound ended
	InTurn    Input = "turn"    // the caller's turn is complete
	InAlarm   Input = "alarm"   // it was no turn: sound without words
	InSilence Input = "silence" // the caller has said nothing for too long
	InGoodbye Input = "goodbye" // the flow has come to its end
	InStop    Input = "stop"    // the call ends now
)

// Transitions is the turn table: the state that follows a state and an input.
// An input without an entry does not change the state.
var Transitions = map[State]map[Input]State{
	Idle: {InGreet: Greeting, InSay: Speaking, InVoice: Listening, InTurn: Thinking,
		InSilence: Thinking, InGoodbye: Ending, InStop: Over},
	Greeting: {InPlayed: Idle, InVoice: Listening, InTurn: Thinking, InGoodbye: Ending, InStop: Over},
	Listening: {InQuiet: Waiting, InTurn: Thinking, InAlarm: Idle, InSay: Speaking, InGoodbye: Ending,
		InStop: Over},
	Waiting: {InVoice: Listening, InTurn: Thinking, InAlarm: Idle, InSay: Speaking, InGoodbye: Ending,
		InStop: Over},
	Thinking: {InSay: Speaking, InVoice: Listening, InPlayed: Idle, InGoodbye: Ending, InStop: Over},
	Speaking: {InPlayed: Idle, InVoice: Listening, InTurn: Thinking, InSay: Speaking, InGoodbye: Ending,
		InStop: Over},
	Ending: {InStop: Over},
	Over:   {},
}

// States lists the states in the order in which docs draw them.
var States = []State{Greeting, Idle, Listening, Waiting, Thinking, Speaking, Ending, Over}

// Next returns the state after s when in happens, and whether the table has an
// entry for it.
func (s State) Next(in Input) (State, bool) {
	to, ok := Transitions[s][in]
	return to, ok
}

// String lets a state print itself in logs.
func (s State) String() string { return fmt.Sprintf("conversation:%s", string(s)) }
