package provider

import (
	"context"
	"strings"
	"testing"

	"github.com/callwright/callwright/internal/speech"
)

// reply asks the sandbox model once.
func reply(t *testing.T, system string, messages []speech.Message) (said string, bye bool) {
	t.Helper()
	var b strings.Builder
	for chunk, err := range NewSandboxModel().Chat(t.Context(), speech.Request{System: system, Messages: messages}) {
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(chunk.Text)
		if chunk.Call != nil {
			bye = chunk.Call.Name == "end_call"
		}
	}
	return b.String(), bye
}

// talkThrough lets a caller give the answers in turn, "…" for ever after.
func talkThrough(t *testing.T, system string, messages []speech.Message, answers ...string) (script string) {
	t.Helper()
	var b strings.Builder
	for range 50 {
		said, bye := reply(t, system, messages)
		if said == "" {
			t.Fatalf("it has nothing to say after\n%s", b.String())
		}
		b.WriteString("A: " + said + "\n")
		if bye {
			return b.String()
		}
		answer := "…"
		if len(answers) > 0 {
			answer, answers = answers[0], answers[1:]
		}
		b.WriteString("C: " + answer + "\n")
		messages = append(messages, speech.Message{Role: "assistant", Text: said}, speech.Message{Role: "user", Text: answer})
	}
	t.Fatalf("it does not come to an end:\n%s", b.String())
	return ""
}

func TestSandboxModelTalks(t *testing.T) {
	for name, c := range map[string]struct {
		system  string
		before  []speech.Message
		answers []string
		want    string
	}{
		"what an instruction asks for": {
			system:  "You are Sam from Acme Dental. Be kind. Ask the caller for their name and the day that suits them.",
			answers: []string{"My name is Casey Morgan.", "Tomorrow."},
			want: "A: Hello, this is Sam from Acme Dental. May I have your name, please?\nC: My name is Casey Morgan.\n" +
				"A: Thank you, Casey Morgan. Which day would suit you?\nC: Tomorrow.\n" +
				"A: Thank you. That is all for now. Goodbye.\n",
		},
		"no instruction": {
			system:  "Be helpful.",
			answers: []string{"I want to cancel my order.", "Yes."},
			want: "A: Hello. How can I help you today?\nC: I want to cancel my order.\n" +
				"A: Thank you. Is there anything else I can do for you?\nC: Yes.\nA: Great. That is all for now. Goodbye.\n",
		},
		"after a first message that asks already": {
			system:  "Be helpful.",
			before:  []speech.Message{{Role: "assistant", Text: "Hi, how can I help you?"}, {Role: "user", Text: "Hello."}},
			answers: []string{"No."},
			want:    "A: Thank you. Is there anything else I can do for you?\nC: No.\nA: All right. That is all for now. Goodbye.\n",
		},
		"about to speak after the flow": {
			system:  "Be helpful.",
			before:  []speech.Message{{Role: "assistant", Text: "Welcome to Acme."}},
			answers: []string{"Good bye"},
			want:    "A: How can I help you today?\nC: Good bye\nA: All right. Thank you for your time. Goodbye.\n",
		},
		"a caller who wants no calls": {
			system: "Ask for their name.", answers: []string{"Please do not call me again. Take me off your list."},
			want: "A: Hello. May I have your name, please?\nC: Please do not call me again. Take me off your list.\n" +
				"A: I understand, and I am sorry to have disturbed you. Goodbye.\n",
		},
		"a caller who interrupts": {
			system: "Ask for their name.", answers: []string{"Sorry, wait a moment please.", "Who are you?", "Casey", "no"},
			want: "A: Hello. May I have your name, please?\nC: Sorry, wait a moment please.\nA: Of course. May I have your name, please?\n" +
				"C: Who are you?\nA: I am an automated assistant. May I have your name, please?\nC: Casey\n" +
				"A: Thank you, Casey. That is all for now. Goodbye.\n",
		},
	} {
		if got := talkThrough(t, c.system, c.before, c.answers...); got != c.want {
			t.Errorf("%s:\n%s\nwant:\n%s", name, got, c.want)
		}
	}
}

func TestSandboxModelPutsAQuestionAgainThatWasNotHeard(t *testing.T) {
	const system = "You are Sam. Ask for their name."
	for name, c := range map[string]struct {
		agent string
		want  string
	}{
		"cut off in the greeting": {"Hello, this", "Thank you. May I have your name, please?"},
		"cut off in the question": {"Hello, this is Sam. May I have", "Thank you. May I have your name, please?"},
		"after a reminder":        {"Are you still there?", "Thank you. May I have your name, please?"},
	} {
		before := []speech.Message{{Role: "assistant", Text: "Hello, this is Sam. May I have your name, please?"}}
		if !strings.HasPrefix(name, "after") {
			before = nil
		}
		before = append(before, speech.Message{Role: "assistant", Text: c.agent}, speech.Message{Role: "user", Text: "hmm what"})
		if said, bye := reply(t, system, before); said != c.want || bye {
			t.Errorf("%s: %q, %v", name, said, bye)
		}
	}
}

func TestSandboxModelEndsWhateverIsSaid(t *testing.T) {
	for _, said := range []string{"wait a moment", "pardon", "", "yes", "…", "\x00", strings.Repeat("blah ", 5000)} {
		script := talkThrough(t, "Ask how they are. Ask where they live. Ask what they do. Ask why.", nil,
			said, said, said, said, said, said)
		if turns := strings.Count(script, "A: "); turns > maxTurns {
			t.Errorf("%d turns for a caller who says %.20q", turns, said)
		}
	}
	var cut []speech.Message // it is cut off each time it begins
	for range 50 {
		cut = append(cut, speech.Message{Role: "user", Text: "hello?"})
	}
	if _, bye := reply(t, "", cut); !bye {
		t.Error("a talk without end does not end")
	}
}

func TestSandboxModelPlansQuestions(t *testing.T) {
	for system, want := range map[string]string{
		"Ask the caller for their name":                               "May I have your name, please?",
		"Collect their phone number, email, and preferred time.":      "What is the best phone number for you?|What is your e-mail address?|What time would suit you?",
		"Ask whether they are happy with the service.":                "Could you tell me whether you are happy with the service?",
		"Find out what the customer wants.":                           "Could you tell me what you want?",
		"Ask about the customer's budget.":                            "Could you tell me your budget?",
		"Ask about pets":                                              "Could you tell me about pets?",
		`Say hi, then ask "How many people are coming?"`:              "How many people are coming?",
		"Ask: do you like dogs?":                                      "Do you like dogs?",
		"You book appointments for a dentist.":                        "May I have your name, please?|Which day would suit you?",
		"Find out how many people come and which day they would like": "Could you tell me how many people come and which day you would like?",
		"Ask for the order number. Ask the user to rate us.":          "What is your reference number?|From one to five, how satisfied are you?",
		"":    "How can I help you today?",
		"ask": "How can I help you today?",
		"Ask for their name. Ask for their name. Ask the caller for name": "May I have your name, please?",
	} {
		var got []string
		for _, q := range questionsFor(system) {
			if q != more {
				got = append(got, q.text)
			}
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q\n got %s\nwant %s", system, strings.Join(got, "|"), want)
		}
	}
}

func TestSandboxModelStopsWhenNobodyWantsToKnow(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range NewSandboxModel().Chat(ctx, speech.Request{}) {
		if err == nil {
			t.Error("it speaks to nobody")
		}
	}
	for range NewSandboxModel().Chat(t.Context(), speech.Request{}) {
		break
	}
	if llm, err := speech.OpenLLM(SandboxModel, speech.Config{}); err != nil || llm.Name() != "sandbox-model" {
		t.Errorf("opened %v, %v", llm, err)
	}
}

func FuzzSandboxModel(f *testing.F) {
	f.Add("You are Sam. Ask the caller for their name, and \"Why?\".", "yes")
	f.Add("collect: ?", "the caller's is")
	f.Fuzz(func(t *testing.T, system, said string) {
		talkThrough(t, system, nil, said, said, said)
	})
}
