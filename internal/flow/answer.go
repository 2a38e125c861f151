package flow

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/spoken"
)

// AnswerType says how an answer is read and what its value is.
type AnswerType string

// The types of answers, with the Go type of their values.
const (
	Text   AnswerType = "text"   // string, as it was said
	YesNo  AnswerType = "yes_no" // bool
	Number AnswerType = "number" // int when it is whole, else float64
	Date   AnswerType = "date"   // string, 2026-03-15
	Clock  AnswerType = "time"   // string, 15:30
	Phone  AnswerType = "phone"  // string, E.164 when it was said with a plus, else digits
	Email  AnswerType = "email"  // string, lower case
	OneOf  AnswerType = "choice" // string, the choice as it is written in the flow
)

// otherSpellings of types that are understood too.
var otherSpellings = map[string]AnswerType{
	"": Text, "string": Text, "boolean": YesNo, "bool": YesNo, "yesno": YesNo, "yes/no": YesNo, "yes-no": YesNo,
	"integer": Number, "int": Number, "float": Number, "enum": OneOf, "select": OneOf, "e-mail": Email,
	"telephone": Phone,
}

// Answer says what answer a question wants. In JSON it is an object, or the
// type's name alone.
type Answer struct {
	Type    AnswerType `json:"type"`
	Choices []Choice   `json:"choices,omitempty"`
}

// Choice is one possible answer. In JSON it is an object, or its value alone.
type Choice struct {
	Value    string   `json:"value"`
	Synonyms []string `json:"synonyms,omitempty"` // other words for it
}

const maxChoices = 50

// UnmarshalJSON reads either form.
func (a *Answer) UnmarshalJSON(raw []byte) error {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		*a = Answer{Type: AnswerType(name)}
		return nil
	}
	type plain Answer
	return unmarshalStrict(raw, (*plain)(a), "type and choices")
}

// UnmarshalJSON reads either form.
func (c *Choice) UnmarshalJSON(raw []byte) error {
	if json.Unmarshal(raw, &c.Value) == nil {
		return nil
	}
	type plain Choice
	return unmarshalStrict(raw, (*plain)(c), "value and synonyms")
}

// MarshalJSON writes the shorter form where it says all.
func (c Choice) MarshalJSON() ([]byte, error) {
	if len(c.Synonyms) == 0 {
		return encode(c.Value)
	}
	type plain Choice
	return encode(plain(c))
}

func unmarshalStrict(raw []byte, v any, fields string) error {
	var p problems
	readObject(&p, place{who: "it"}, raw, v)
	if len(p.list) > 0 {
		return &shapeError{"must be a string or an object with " + fields + ": " + p.list[0]}
	}
	return nil
}

func (a *Answer) check(c *check) {
	spelled := strings.ToLower(string(a.Type))
	if proper, ok := otherSpellings[spelled]; ok {
		a.Type = proper
	} else {
		a.Type = AnswerType(spelled)
	}
	reader, ok := answerReaders[a.Type]
	if !ok || reader == nil {
		c.problem("answer.type", "%s does not exist; use one of text, yes_no, number, date, time, phone, email, choice", quote(spelled))
		return
	}
	if a.Type != OneOf {
		if len(a.Choices) > 0 {
			c.problem("answer.choices", "only an answer of type choice has choices")
		}
		return
	}
	if len(a.Choices) == 0 {
		c.problem("answer.choices", "an answer of type choice needs choices")
	}
	if len(a.Choices) > maxChoices {
		c.problem("answer.choices", "has %d choices; the limit is %d", len(a.Choices), maxChoices)
	}
	seen := map[string]bool{}
	for i, choice := range a.Choices {
		for _, name := range append([]string{choice.Value}, choice.Synonyms...) {
			key := strings.Join(spoken.Words(name), " ")
			if key == "" {
				c.problem(index("answer.choices", i), "must have a word in it")
			} else if seen[key] {
				c.problem(index("answer.choices", i), "%s is there twice", quote(name))
			}
			c.long(index("answer.choices", i), name, maxID)
			seen[key] = true
		}
	}
}

// answerReaders read what was said. They return false for what is no answer of
// their type, and for what could mean more than one.
var answerReaders = map[AnswerType]func(a *Answer, text string, at time.Time) (any, bool){
	Text:   func(_ *Answer, text string, _ time.Time) (any, bool) { return readText(text) },
	YesNo:  func(_ *Answer, text string, _ time.Time) (any, bool) { return spoken.YesNo(text) },
	Number: func(_ *Answer, text string, _ time.Time) (any, bool) { return spoken.Number(text) },
	Date:   func(_ *Answer, text string, at time.Time) (any, bool) { return spoken.Date(text, at) },
	Clock:  func(_ *Answer, text string, at time.Time) (any, bool) { return spoken.Clock(text, at) },
	Phone:  func(_ *Answer, text string, _ time.Time) (any, bool) { return spoken.Phone(text) },
	Email:  func(_ *Answer, text string, _ time.Time) (any, bool) { return spoken.Email(text) },
	OneOf:  func(a *Answer, text string, _ time.Time) (any, bool) { return a.chosen(text) },
}

// chosen finds the choice that was meant.
func (a *Answer) chosen(text string) (any, bool) {
	names := make([][]string, len(a.Choices))
	for i, choice := range a.Choices {
		names[i] = append([]string{choice.Value}, choice.Synonyms...)
	}
	i, ok := spoken.OneOf(text, names)
	if !ok {
		return nil, false
	}
	return a.Choices[i].Value, true
}

const maxAnswer = 2000 // bytes of what was said that are read

// Read reads an answer from what the caller said. At is the time in the time
// zone in which words like "tomorrow" are meant; when it is zero they are not
// understood. It returns false for what is no answer of the type, and for what
// could mean more than one.
func (a *Answer) Read(text string, at time.Time) (value any, ok bool) {
	if len(text) > maxAnswer {
		text = strings.ToValidUTF8(text[:maxAnswer], "")
	}
	read, known := answerReaders[a.Type]
	if !known {
		read = answerReaders[Text]
	}
	value, ok = read(a, text, at)
	if !ok {
		return nil, false
	}
	return value, true
}

// read reads an answer from what the caller said or pressed.
func (a *Answer) read(ev Event) (any, bool) {
	if ev.Kind != Digit {
		return a.Read(ev.Text, ev.At)
	}
	keys := strings.TrimRight(keysOf(ev.Text), "#")
	switch a.Type {
	case YesNo:
		return keys == "1", keys == "1" || keys == "2"
	case OneOf:
		n, err := strconv.Atoi(keys)
		if err != nil || n < 1 || n > len(a.Choices) {
			return nil, false
		}
		return a.Choices[n-1].Value, true
	}
	return a.Read(keys, ev.At)
}

// digits says when keys pressed as an answer are complete; nil when keys make no
// sense as an answer.
func (a *Answer) digits() *DigitRule {
	switch a.Type {
	case YesNo:
		return &DigitRule{Max: 1, Timeout: digitGap, Only: "12"}
	case OneOf:
		if len(a.Choices) > 9 {
			return &DigitRule{Max: 2, Terminator: "#", Timeout: digitGap}
		}
		return &DigitRule{Max: 1, Timeout: digitGap, Only: "123456789"[:len(a.Choices)]}
	case Text, Number, Phone:
		return &DigitRule{Terminator: "#", Timeout: digitGap}
	}
	return nil
}

const notUnderstood = "Sorry, I did not get that."

// guidance is what is said before the caller tries again.
func (a *Answer) guidance() string {
	switch a.Type {
	case YesNo:
		return notUnderstood + " Please say yes or no."
	case Number:
		return notUnderstood + " Please say a number."
	case Date:
		return notUnderstood + " Please say a date, like March third."
	case Clock:
		return notUnderstood + " Please say a time, like half past three."
	case Phone:
		return notUnderstood + " Please say the phone number, digit by digit."
	case Email:
		return notUnderstood + " Please say the e-mail address, like john at example dot com."
	case OneOf:
		names := make([]string, len(a.Choices))
		for i, choice := range a.Choices {
			names[i] = choice.Value
		}
		return notUnderstood + " You can say: " + listed(names) + "."
	}
	return notUnderstood + " Could you say that again, please?"
}

// listed joins names as one would say them: red, green or blue.
func listed(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// spoken is a value as an agent would say it.
func (a *Answer) spoken(value any) string {
	switch v := value.(type) {
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case string:
		switch a.Type {
		case Date:
			if day, err := time.Parse(time.DateOnly, v); err == nil {
				return day.Format("Monday, January 2")
			}
		case Clock:
			if at, err := time.Parse("15:04", v); err == nil {
				return at.Format("3:04 PM")
			}
		case Phone:
			return spaced(v)
		case Email:
			return strings.NewReplacer("@", " at ", ".", " dot ", "_", " underscore ", "-", " dash ").Replace(v)
		}
		return v
	}
	return written(value)
}

// spaced puts spaces between digits, so that they are read one by one.
func spaced(digits string) string { return strings.Join(strings.Split(digits, ""), " ") }

func readText(text string) (string, bool) {
	text = strings.TrimSpace(text)
	return text, text != ""
}
