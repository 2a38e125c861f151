package spoken

import (
	"strings"
	"testing"
	"time"
)

// wednesday is the day on which the answers of these tests are given.
var wednesday = time.Date(2026, time.March, 4, 10, 20, 0, 0, time.FixedZone("", -5*3600))

// answerCase is what was said and what it means; none means that it is no answer.
type answerCase struct {
	said string
	want any
}

type no struct{}

var none no

func testAnswers[V any](t *testing.T, read func(string) (V, bool), cases []answerCase) {
	t.Helper()
	for _, c := range cases {
		var got any = none
		if value, ok := read(c.said); ok {
			got = value
		}
		if got != c.want {
			t.Errorf("%q = %v (%T), want %v", c.said, got, got, c.want)
		}
	}
}

func dateOn(at time.Time) func(string) (string, bool) {
	return func(said string) (string, bool) { return Date(said, at) }
}

func clockOn(at time.Time) func(string) (string, bool) {
	return func(said string) (string, bool) { return Clock(said, at) }
}

func choice(choices ...[]string) func(string) (string, bool) {
	return func(said string) (string, bool) {
		i, ok := OneOf(said, choices)
		if !ok {
			return "", false
		}
		return choices[i][0], true
	}
}

func TestYesNo(t *testing.T) {
	testAnswers(t, YesNo, []answerCase{
		{"yes", true}, {"Yes.", true}, {"yeah", true}, {"Yep!", true}, {"yup", true}, {"sure", true}, {"of course", true},
		{"absolutely", true}, {"yes please", true}, {"sure, why not", true}, {"no problem", true}, {"that's right", true},
		{"that is correct", true}, {"sounds good to me", true}, {"okay", true}, {"OK", true}, {"uh-huh", true}, {"um, yes I think so", true},
		{"yes, I have no questions", true}, {"I do", true}, {"I am", true}, {"go ahead", true}, {"please do", true}, {"it works, fine", true},
		{"no, yeah", true}, {"no, I mean yes", true}, {"yes, that's not a problem", true}, {"definitely", true}, {"true", true},
		{"no", false}, {"No.", false}, {"nope", false}, {"nah", false}, {"no thanks", false}, {"no, thank you", false}, {"not really", false},
		{"I don't think so", false}, {"absolutely not", false}, {"of course not", false}, {"I'd rather not", false}, {"not today", false},
		{"no I'm fine", false}, {"I'm not interested", false}, {"that's not right", false}, {"that is wrong", false}, {"never", false},
		{"I can't", false}, {"no, that's not correct", false}, {"yeah, no", false}, {"yes, wait, no", false}, {"please don't", false},
		{"no way", false}, {"I am not", false}, {"it isn't", false}, {"false", false}, {"no, I would like that on Monday please", false},
		{"", none}, {"um", none}, {"maybe", none}, {"I don't know", none}, {"I'm not sure", none}, {"what do you mean", none},
		{"tomorrow", none}, {"can you say that again", none}, {"the weather", none}, {"I didn't hear you", none}, {"it doesn't matter", none},
	})
}

func TestNumber(t *testing.T) {
	testAnswers(t, Number, []answerCase{
		{"5", 5}, {"five", 5}, {"zero", 0}, {"twenty three", 23}, {"twenty-three", 23}, {"a couple", 2}, {"a couple of people", 2},
		{"one hundred and five", 105}, {"one hundred five", 105}, {"a hundred", 100}, {"3.5", 3.5}, {"three point five", 3.5},
		{"three point one four", 3.14}, {"zero point oh five", 0.05}, {"two and a half", 2.5}, {"half a dozen", 6}, {"a dozen", 12},
		{"twelve hundred", 1200}, {"two thousand twenty six", 2026}, {"two thousand and six", 2006}, {"nineteen eighty five", 1985},
		{"one million two hundred thousand", 1200000}, {"1,200", 1200}, {"$20", 20}, {"50%", 50}, {"about 20 people", 20},
		{"I am 45 years old", 45}, {"minus five", -5}, {"negative ten", -10}, {"four two one", 421}, {"there will be four of us", 4},
		{"um, I think seven", 7}, {"the third", 3}, {"2nd", 2}, {"none", 0}, {"one", 1}, {"I want one", 1}, {"fifteen", 15}, {"ninety nine", 99},
		{"three hundred and forty two", 342}, {"one thousand", 1000}, {"five thousand three hundred", 5300}, {"half", 0.5}, {"7 7", 77},
		{"", none}, {"many", none}, {"I don't know", none}, {"three or four", none}, {"between 3 and 5", none}, {"one moment please", none},
		{"two adults and one child", none}, {"a few", none}, {"yes", none}, {"the one", none}, {"1,2000 apples", none},
	})
}

func TestDate(t *testing.T) {
	testAnswers(t, dateOn(wednesday), []answerCase{
		{"today", "2026-03-04"}, {"tomorrow", "2026-03-05"}, {"tomorrow morning please", "2026-03-05"}, {"the day after tomorrow", "2026-03-06"},
		{"friday", "2026-03-06"}, {"this friday", "2026-03-06"}, {"on Friday", "2026-03-06"}, {"next friday", "2026-03-13"},
		{"friday next week", "2026-03-13"}, {"next week on friday", "2026-03-13"}, {"next week friday", "2026-03-13"}, {"monday", "2026-03-09"},
		{"next monday", "2026-03-09"}, {"wednesday", "2026-03-11"}, {"a week from friday", "2026-03-13"}, {"in two days", "2026-03-06"},
		{"in 3 days", "2026-03-07"}, {"in a week", "2026-03-11"}, {"two weeks from now", "2026-03-18"}, {"in a couple of days", "2026-03-06"},
		{"in a month", "2026-04-04"}, {"three days from today", "2026-03-07"}, {"march third", "2027-03-03"}, {"march 4th", "2026-03-04"},
		{"March 15", "2026-03-15"}, {"the third of march", "2027-03-03"}, {"the twenty first of april", "2026-04-21"}, {"april twenty first", "2026-04-21"},
		{"april the second", "2026-04-02"}, {"3rd of May", "2026-05-03"}, {"12 june", "2026-06-12"}, {"december 31st 2026", "2026-12-31"},
		{"may fifth twenty twenty seven", "2027-05-05"}, {"july fourth nineteen eighty five", "1985-07-04"},
		{"february twenty ninth", "2028-02-29"}, {"on the fifteenth", "2026-03-15"}, {"the 2nd", "2026-04-02"}, {"the thirty first", "2026-03-31"},
		{"3/15", "2026-03-15"}, {"3/15/2027", "2027-03-15"}, {"15/3", "2026-03-15"}, {"3/15/27", "2027-03-15"}, {"2026-03-15", "2026-03-15"},
		{"15.3.2026", "2026-03-15"}, {"march fifteenth at three pm", "2026-03-15"}, {"not friday, monday", "2026-03-09"}, {"january two", "2027-01-02"},
		{"how about March 20th?", "2026-03-20"}, {"sept 1st", "2026-09-01"}, {"any Tuesday, really, this tuesday", "2026-03-10"},
		{"thursday the fifth", "2026-03-05"},
		{"", none}, {"soon", none}, {"february thirtieth", none}, {"2026-13-45", none}, {"13/32", none}, {"monday or tuesday", none},
		{"march", none}, {"may I ask why", none}, {"next week", none}, {"three", none}, {"one second", none}, {"yes", none}, {"june 31st", none},
	})
	if _, ok := Date("tomorrow", time.Time{}); ok {
		t.Error("tomorrow was understood without knowing today")
	}
	saturday := time.Date(2026, time.December, 26, 23, 59, 0, 0, time.UTC)
	for said, want := range map[string]string{"next friday": "2027-01-01", "friday": "2027-01-01", "saturday": "2027-01-02", "january 1st": "2027-01-01"} {
		if got, _ := Date(said, saturday); got != want {
			t.Errorf("on a Saturday %q = %v, want %v", said, got, want)
		}
	}
}

func TestClock(t *testing.T) {
	testAnswers(t, clockOn(wednesday), []answerCase{
		{"half past three", "15:30"}, {"three pm", "15:00"}, {"3 pm", "15:00"}, {"3pm", "15:00"}, {"3 p.m.", "15:00"}, {"15:30", "15:30"},
		{"3:30", "15:30"}, {"3:30 pm", "15:30"}, {"3:30 in the morning", "03:30"}, {"9:15am", "09:15"}, {"noon", "12:00"}, {"midnight", "00:00"},
		{"at midday", "12:00"}, {"quarter to five in the evening", "16:45"}, {"a quarter past nine", "09:15"}, {"ten past six", "18:10"},
		{"twenty to four", "15:40"}, {"twenty five to four", "15:35"}, {"ten minutes before noon", "11:50"}, {"three o'clock", "15:00"},
		{"at three", "15:00"}, {"three in the afternoon", "15:00"}, {"eight tonight", "20:00"}, {"eight in the morning", "08:00"},
		{"nine oh five", "09:05"}, {"three thirty", "15:30"}, {"three thirty pm", "15:30"}, {"eleven forty five", "11:45"}, {"twelve", "12:00"},
		{"twelve thirty", "12:30"}, {"twelve am", "00:00"}, {"12 pm", "12:00"}, {"twelve at night", "00:00"}, {"fifteen hundred hours", "15:00"},
		{"eighteen thirty", "18:30"}, {"08:00", "08:00"}, {"07:30", "07:30"}, {"10", "10:00"}, {"10 a m", "10:00"}, {"in two hours", "12:20"},
		{"in half an hour", "10:50"}, {"in ten minutes", "10:30"}, {"ten thirty would be great", "10:30"}, {"half past twelve", "12:30"},
		{"march third at three pm", "15:00"}, {"not three, four", "16:00"}, {"8 pm", "20:00"}, {"eight", "08:00"},
		{"", none}, {"in the morning", none}, {"25:00", none}, {"three or four", none}, {"whenever", none}, {"12:75", none}, {"for two people", none},
		{"yes", none}, {"forty", none},
	})
}

func TestPhone(t *testing.T) {
	testAnswers(t, Phone, []answerCase{
		{"5551234567", "5551234567"}, {"555-123-4567", "5551234567"}, {"(555) 123-4567", "5551234567"}, {"+1 555 123 4567", "+15551234567"},
		{"five five five one two three four five six seven", "5551234567"}, {"five five five, one two three, four five six seven", "5551234567"},
		{"five double five one two three four", "5551234" /* 5 55 1 2 3 4 */}, {"triple five one two three four", "5551234"},
		{"oh two oh seven nine four six oh nine five eight", "02079460958"}, {"plus one five five five one two three four five six seven", "+15551234567"},
		{"plus four four, twenty, seventy nine, forty six, oh nine, fifty eight", "+442079460958"},
		{"one eight hundred five five five one two three four", "18005551234"}, {"my number is 555 123 4567, thanks", "5551234567"},
		{"it's area code two one two, five five five, oh one nine nine", "2125550199"},
		{"", none}, {"911", none}, {"five", none}, {"I don't have one", none}, {"+0123456789", none}, {strings.Repeat("5", 16), none},
	})
}

func TestEmail(t *testing.T) {
	testAnswers(t, Email, []answerCase{
		{"john@example.com", "john@example.com"}, {"John.Doe@Example.COM", "john.doe@example.com"}, {"it's john@example.com.", "john@example.com"},
		{"john dot doe at example dot com", "john.doe@example.com"}, {"my email is john at gmail dot com", "john@gmail.com"},
		{"j o h n at g mail dot com", "john@gmail.com"}, {"jane underscore doe at example dot co dot uk", "jane_doe@example.co.uk"},
		{"info at my dash company dot org", "info@my-company.org"}, {"john two three at example dot com", "john23@example.com"},
		{"john at example.com", "john@example.com"}, {"sure, it's mary at sign example dot net thank you", "mary@example.net"},
		{"john plus test at example dot com", "john+test@example.com"}, {"it is bob at example dot com please", "bob@example.com"},
		{"reach me at bob at example dot com", "bob@example.com"},
		{"", none}, {"john", none}, {"john at home", none}, {"at example dot com", none}, {"john dot doe", none}, {"john at example dot", none},
		{"john dot dot doe at example dot com", none}, {"meet me at noon", none},
	})
}

func TestOneOf(t *testing.T) {
	colors := choice([]string{"red"}, []string{"green"}, []string{"Blue", "navy", "sky color"})
	testAnswers(t, colors, []answerCase{
		{"red", "red"}, {"Red, please.", "red"}, {"I'd like the green one", "green"}, {"blue", "Blue"}, {"navy", "Blue"}, {"a sky color", "Blue"},
		{"the second one", "green"}, {"the first", "red"}, {"number two", "green"}, {"option 3", "Blue"}, {"two", "green"}, {"3", "Blue"},
		{"the last one", "Blue"}, {"not red, green", "green"}, {"greens", "green"},
		{"", none}, {"yellow", none}, {"red or green", none}, {"number four", none}, {"not red", none}, {"I don't know", none},
	})
	plans := choice([]string{"Basic plan"}, []string{"Family plan"}, []string{"Extra large"}, []string{"Large"}, []string{"Cancelling my order"})
	testAnswers(t, plans, []answerCase{
		{"basic", "Basic plan"}, {"the family one please", "Family plan"}, {"extra large", "Extra large"}, {"large", "Large"},
		{"I want to cancel", "Cancelling my order"}, {"the plan", none},
	})
}

func TestStem(t *testing.T) {
	for _, pair := range [][2]string{{"cancelled", "cancel"}, {"cancelling", "cancels"}, {"prices", "pricing"}, {"payment", "paying"}, {"companies", "company"}, {"billing", "bill"}, {"orders", "order"}} {
		if Stem(pair[0]) != Stem(pair[1]) {
			t.Errorf("%s and %s: %s, %s", pair[0], pair[1], Stem(pair[0]), Stem(pair[1]))
		}
	}
	for _, pair := range [][2]string{{"class", "clad"}, {"yes", "ye"}, {"sing", "s"}} {
		if Stem(pair[0]) == Stem(pair[1]) {
			t.Errorf("%s and %s meet in %s", pair[0], pair[1], Stem(pair[0]))
		}
	}
}

func FuzzReaders(f *testing.F) {
	for _, seed := range []string{"yes", "twenty three point five", "march third 2026", "half past twelve", "double five oh", "a dot b at c dot d", "red", "+", "٣", "\xff", "in a couple of days", "a hundred million thousand"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, said string) {
		YesNo(said)
		Number(said)
		if digits, ok := Phone(said); ok && strings.Trim(digits, "+0123456789") != "" {
			t.Errorf("phone %q", digits)
		}
		if day, ok := Date(said, wednesday); ok {
			if _, err := time.Parse(time.DateOnly, day); err != nil {
				t.Error(err)
			}
		}
		if clock, ok := Clock(said, wednesday); ok {
			if _, err := time.Parse("15:04", clock); err != nil {
				t.Error(err)
			}
		}
		if address, ok := Email(said); ok && strings.Count(address, "@") != 1 {
			t.Errorf("e-mail %q", address)
		}
		if i, ok := OneOf(said, [][]string{{"red"}, {"dark red", "crimson"}}); ok && i != 0 && i != 1 {
			t.Errorf("choice %d", i)
		}
	})
}
