package flow

import (
	"testing"
	"time"
)

// wednesday is the time at which the conversations of these tests are held.
var wednesday = time.Date(2026, time.March, 4, 10, 20, 0, 0, time.FixedZone("", -5*3600))

type no struct{}

// none stands for what is no answer.
var none no

func TestReadAnswers(t *testing.T) {
	for _, c := range []struct {
		answer Answer
		said   string
		want   any
	}{
		{Answer{Type: Text}, "  Hello there. ", "Hello there."}, {Answer{Type: Text}, "   ", none}, {Answer{}, "x", "x"},
		{Answer{Type: YesNo}, "sure", true}, {Answer{Type: YesNo}, "bananas", none}, {Answer{Type: Number}, "twenty three", 23},
		{Answer{Type: Number}, "three point five", 3.5}, {Answer{Type: Date}, "tomorrow", "2026-03-05"}, {Answer{Type: Clock}, "half past three", "15:30"},
		{Answer{Type: Phone}, "five five five one two three four", "5551234"}, {Answer{Type: Email}, "a at b dot com", "a@b.com"},
		{Answer{Type: OneOf, Choices: []Choice{{Value: "Blue", Synonyms: []string{"navy"}}}}, "navy please", "Blue"},
		{Answer{Type: OneOf, Choices: []Choice{{Value: "Blue"}}}, "red", none},
	} {
		got, ok := c.answer.Read(c.said, wednesday)
		if !ok {
			got = none
		}
		if got != c.want {
			t.Errorf("%s %q = %v, want %v", c.answer.Type, c.said, got, c.want)
		}
	}
}

func TestPressedAnswers(t *testing.T) {
	choice := Answer{Type: OneOf, Choices: []Choice{{Value: "red"}, {Value: "green"}}}
	for _, c := range []struct {
		answer Answer
		keys   string
		want   any
	}{
		{Answer{Type: YesNo}, "1", true}, {Answer{Type: YesNo}, "2", false}, {Answer{Type: YesNo}, "3", none},
		{choice, "2", "green"}, {choice, "3", none}, {choice, "0", none}, {choice, "*", none},
		{Answer{Type: Number}, "42#", 42}, {Answer{Type: Phone}, "5551234567", "5551234567"}, {Answer{Type: Text}, "42", "42"},
	} {
		got, ok := c.answer.read(Event{Kind: Digit, Text: c.keys, At: wednesday})
		if !ok {
			got = none
		}
		if got != c.want {
			t.Errorf("%s: keys %q = %v, want %v", c.answer.Type, c.keys, got, c.want)
		}
	}
}

func TestSpokenForms(t *testing.T) {
	for _, c := range []struct {
		answer AnswerType
		value  any
		want   string
	}{
		{YesNo, true, "yes"}, {YesNo, false, "no"}, {Date, "2026-03-03", "Tuesday, March 3"}, {Clock, "15:30", "3:30 PM"},
		{Phone, "5551", "5 5 5 1"}, {Email, "a.b@c.de", "a dot b at c dot de"}, {Number, 3.5, "3.5"}, {Number, 3, "3"}, {Text, "hi", "hi"},
	} {
		if got := (&Answer{Type: c.answer}).spoken(c.value); got != c.want {
			t.Errorf("%s %v is spoken %q, want %q", c.answer, c.value, got, c.want)
		}
	}
}
