package callee

import (
	"testing"
	"time"

	"github.com/callwright/callwright/internal/spoken"
)

// now is when the questions are asked.
var now = time.Date(2026, time.March, 4, 10, 20, 0, 0, time.UTC)

// readers read an answer as a flow would that expects this type.
var readers = map[string]func(string) bool{
	"yes_no": func(s string) bool { _, ok := spoken.YesNo(s); return ok },
	"yes":    func(s string) bool { yes, ok := spoken.YesNo(s); return ok && yes },
	"no":     func(s string) bool { yes, ok := spoken.YesNo(s); return ok && !yes },
	"number": func(s string) bool { _, ok := spoken.Number(s); return ok },
	"date":   func(s string) bool { _, ok := spoken.Date(s, now); return ok },
	"time":   func(s string) bool { _, ok := spoken.Clock(s, now); return ok },
	"phone":  func(s string) bool { _, ok := spoken.Phone(s); return ok },
	"email":  func(s string) bool { _, ok := spoken.Email(s); return ok },
	"text":   func(s string) bool { return s != "" },
}

// questions are what agents ask, by the type of answer that fits.
var questions = map[string][]string{
	"yes_no": {
		"Is that correct?", "Do you want to confirm?", "Would you like to go on?", "Can I book that for you?", "Are you still interested?",
		"Have you been here before?", "Did you get our letter?", "Great, and is this a good time to talk?", "So are you coming?", "Will you be there?",
		"Sorry, I did not get that. Please say yes or no.", "Shall I repeat that?", "Should I call back?", "May I record this call?",
		"Is tomorrow at three fine with you?", "Do you have a moment?", "Are you the owner?", "Does Monday work for you?",
	},
	"number": {
		"How many people are coming?", "How many guests will there be?", "How old are you?", "On a scale of one to ten, how happy are you?",
		"How much would you like to pay?", "Please rate our service from one to five.", "What is your party size?", "Sorry, I did not get that. Please say a number.",
		"How long will you stay?", "What quantity do you need?", "For how many nights?", "From one to five, how satisfied are you?", "How would you rate us out of ten?",
		"And how many children?", "What number of tickets would you like?", "How often do you travel?",
	},
	"date": {
		"What day would you like to come?", "Which day suits you?", "Which date works for you?", "When would you like to come?", "On what date should we deliver?",
		"Sorry, I did not get that. Please say a date, like March third.", "What is your date of birth?", "When is your birthday?", "What day is best?",
		"When can we visit?", "Which day would suit you?", "When were you born?",
	},
	"time": {
		"What time would you like?", "At what time should we come?", "Which time suits you?", "What time works best for you?",
		"Sorry, I did not get that. Please say a time, like half past three.", "At what hour?", "And what time?", "What time would suit you?",
		"What time tomorrow?", "What time of day is best?",
	},
	"phone": {
		"What is your phone number?", "Which number can we reach you at?", "What is the best phone number for you?", "May I have your mobile number?",
		"Sorry, I did not get that. Please say the phone number, digit by digit.", "Can you give me a callback number?", "What's your telephone number?",
		"At what number can I reach you on?",
	},
	"email": {
		"What is your email?", "What is your e-mail address?", "Can you give me an email address, please?", "Where should we e-mail it?",
		"Sorry, I did not get that. Please say the e-mail address, like john at example dot com.", "Could you spell your email?",
	},
	"text": {
		"What is your name?", "May I have your name, please?", "Who am I speaking with?", "What is your address?", "Which city do you live in?",
		"What is your favourite colour?", "How can I help you today?", "How are you?", "Could you tell me what you want?", "What is your reference number?",
	},
	"no": {"Is there anything else I can do for you?", "Anything else?", "Do you have any other questions?"},
}

func TestAnswersCanBeRead(t *testing.T) {
	asked := 0
	for kind, list := range questions {
		for _, q := range list {
			asked++
			said, ok := answer("Thank you. " + q)
			if !ok || !readers[kind](said) {
				t.Errorf("%q is answered %q (%v), which is no %s", q, said, ok, kind)
			}
		}
	}
	if asked < 80 {
		t.Errorf("%d questions", asked)
	}
}

func TestChoicesCanBeRead(t *testing.T) {
	for question, choices := range map[string][]string{
		"Sorry, I did not get that. You can say: red, green or blue.": {"red", "green", "blue"},
		"Would you like tea or coffee?":                               {"tea", "coffee"},
		"Do you want the small, the medium or the large one?":         {"small", "medium", "large"},
		"Is it for a car, a van or a bike?":                           {"car", "van", "bike"},
		"Do you prefer morning or afternoon?":                         {"morning", "afternoon"},
		"Please choose: sales, support or billing.":                   {"sales", "support", "billing"},
		"Sales or support?":                                           {"sales", "support"},
		"Which plan would you like: basic, family or pro?":            {"basic", "family", "pro"},
		"Are you calling about an order or a return?":                 {"order", "return"},
	} {
		said, ok := answer(question)
		names := make([][]string, len(choices))
		for i, c := range choices {
			names[i] = []string{c}
		}
		if _, chosen := spoken.OneOf(said, names); !ok || !chosen {
			t.Errorf("%q is answered %q", question, said)
		}
	}
}

func TestStatementsAreNotAnswered(t *testing.T) {
	for _, said := range []string{"", "Hello, this is Acme.", "Goodbye.", "Thank you for calling. We are open until five.", "One moment please.", "…"} {
		if reply, asked := answer(said); asked {
			t.Errorf("%q is answered %q", said, reply)
		}
	}
}

func TestTheLastQuestionIsAnswered(t *testing.T) {
	for said, kind := range map[string]string{
		"What is your name? And how many people are coming?":                         "number",
		"How many are you? Our phone number is 555 1234. Which day suits you?":       "date",
		"Is that correct? Thank you. Now, what time would you like? Take your time.": "time",
	} {
		if reply, ok := answer(said); !ok || !readers[kind](reply) {
			t.Errorf("%q is answered %q, which is no %s", said, reply, kind)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add("Would you like tea or coffee?")
	f.Add(" or ?")
	f.Add("You can say: , or .")
	f.Fuzz(func(t *testing.T, said string) {
		if reply, asked := answer(said); asked == (reply == "") {
			t.Errorf("%q is answered %q", said, reply)
		}
	})
}
