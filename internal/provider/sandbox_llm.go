package provider

import (
	"context"
	"iter"
	"strings"

	"github.com/callwright/callwright/internal/speech"
	"github.com/callwright/callwright/internal/spoken"
)

// SandboxModel is the name of the model that thinks where there is none: it
// follows rules, needs no service, and gives the same answer to the same request.
const SandboxModel = "sandbox-model"

func init() {
	speech.RegisterLLM(SandboxModel, func(speech.Config) (speech.LLM, error) { return NewSandboxModel(), nil })
}

// NewSandboxModel returns the sandbox model.
func NewSandboxModel() speech.LLM { return sandboxModel{} }

// maxTurns is how often the sandbox model speaks in a talk; with the last of
// them it says goodbye. A talk in which it never gets to ask ends by its length.
const (
	maxTurns    = 4
	maxMessages = 40
)

// sandboxModel greets, asks up to three questions that fit its prompt, says
// something to each answer, and ends the call with the tool end_call. It keeps
// nothing between requests: where a talk stands is read from its messages.
type sandboxModel struct{}

// Name is "sandbox-model".
func (sandboxModel) Name() string { return SandboxModel }

// Chat answers at once, a sentence a chunk.
func (sandboxModel) Chat(ctx context.Context, req speech.Request) iter.Seq2[speech.Chunk, error] {
	return func(yield func(speech.Chunk, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(speech.Chunk{}, err)
			return
		}
		t := readTalk(req)
		sentences, bye := t.reply()
		for i, s := range sentences {
			if i > 0 {
				s = " " + s
			}
			if !yield(speech.Chunk{Text: s}, nil) {
				return
			}
		}
		if bye {
			yield(speech.Chunk{Call: &speech.ToolCall{ID: "1", Name: "end_call", Arguments: []byte("{}")}}, nil)
		}
	}
}

// talkSoFar is where a talk stands.
type talkSoFar struct {
	name    string     // that the agent goes by, or ""
	plan    []question // to be asked, in order
	next    int        // the first in plan that was not put yet
	pending bool       // the last thing said was the question before next
	turns   int        // of the caller since the model first spoke
	long    bool       // it goes on for too long
	begun   bool       // the model has spoken
	opened  bool       // somebody has: a greeting of the flow, or the caller
	said    string     // the caller's last words, or ""
}

// readTalk reads where a talk stands from the prompt and the messages.
func readTalk(req speech.Request) talkSoFar {
	t := talkSoFar{name: nameIn(req.System), plan: questionsFor(req.System), opened: len(req.Messages) > 0,
		long: len(req.Messages) >= maxMessages}
	if len(req.Messages) > 0 && strings.Contains(req.Messages[0].Text, "help you") && t.plan[0] == help {
		t.plan = t.plan[1:]
	}
	for _, m := range req.Messages {
		switch m.Role {
		case "user":
			t.said = m.Text
			if t.begun {
				t.turns++
			}
		case "assistant":
			t.said = ""
			t.hearSelf(m.Text)
		}
	}
	return t
}

// hearSelf notes which question an utterance put. One that was cut off before
// its question was out did not.
func (t *talkSoFar) hearSelf(text string) {
	t.pending = false
	for i, q := range t.plan {
		if strings.HasSuffix(strings.TrimSpace(text), q.text) {
			t.next, t.pending, t.begun = max(t.next, i+1), true, true
			return
		}
	}
	if strings.HasPrefix(text, t.greeting()) {
		t.begun = true
	}
}

// reply returns what to say, and whether the call ends with it.
func (t *talkSoFar) reply() (sentences []string, bye bool) {
	if !t.opened {
		return []string{t.greeting(), t.plan[0].text}, false
	}
	last := t.long || t.turns >= maxTurns-1
	said := " " + strings.Join(spoken.Words(t.said), " ") + " "
	for _, r := range reactions {
		switch {
		case !r.when(said):
		case r.ends || last:
			return []string{r.say, "Goodbye."}, true
		default:
			return []string{r.say, t.again()}, false
		}
	}
	switch {
	case last || t.next == len(t.plan):
		return []string{t.acknowledge(), "That is all for now.", "Goodbye."}, true
	case t.said == "":
		return []string{t.plan[t.next].text}, false
	case t.begun && !t.pending: // a reminder, or words of the flow, came between
		return []string{t.acknowledge(), t.again()}, false
	}
	return []string{t.acknowledge(), t.plan[t.next].text}, false
}

func (t *talkSoFar) greeting() string {
	if t.name == "" {
		return "Hello."
	}
	return "Hello, this is " + t.name + "."
}

// again is the question that was put last, or the first.
func (t *talkSoFar) again() string { return t.plan[max(t.next-1, 0)].text }

// reaction is what the model says to words that are no answer.
type reaction struct {
	phrases []string // lower case, without punctuation
	say     string
	ends    bool
}

func (r reaction) when(said string) bool {
	for _, p := range r.phrases {
		if strings.Contains(said, " "+p+" ") {
			return true
		}
	}
	return false
}

// reactions are tried in order.
var reactions = []reaction{
	{[]string{"do not call", "dont call", "stop calling", "off your list", "not interested", "leave me alone", "remove me"},
		"I understand, and I am sorry to have disturbed you.", true},
	{[]string{"goodbye", "bye", "have to go", "hang up", "cannot talk", "cant talk", "wrong number", "no time"},
		"All right. Thank you for your time.", true},
	{[]string{"wait a", "please wait", "wait please", "one moment", "hold on", "one second", "just a second"}, "Of course.", false},
	{[]string{"repeat", "say that again", "pardon", "what did you say", "didnt hear", "did not hear", "come again"}, "Certainly.", false},
	{[]string{"are you a robot", "are you human", "are you real", "real person", "who are you", "who is this", "am i talking to"},
		"I am an automated assistant.", false},
}

// acknowledge is what comes before the next question.
func (t *talkSoFar) acknowledge() string {
	words := strings.Trim(strings.TrimSpace(t.said), ".,!?;: ")
	if words == "" {
		return "Thank you."
	}
	yes, known := spoken.YesNo(words)
	switch {
	case known && yes:
		return "Great."
	case known:
		return "All right."
	case t.pending && t.plan[t.next-1].echo && len(strings.Fields(bareName(words))) <= 3:
		return "Thank you, " + bareName(words) + "."
	}
	return "Thank you."
}

// bareName takes what people say before their name off it.
func bareName(words string) string {
	for _, before := range []string{"my name is ", "it is ", "it's ", "i am ", "i'm ", "this is ", "the name is "} {
		if len(words) > len(before) && strings.EqualFold(words[:len(before)], before) {
			return words[len(before):]
		}
	}
	return words
}
