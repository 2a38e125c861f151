package spoken

import (
	"math"
	"strconv"
)

// notNumbers are uses of "one" and "second" that count nothing.
var notNumbers = phrases("one moment", "one second", "one sec", "just a second", "a second", "that one", "this one", "no one", "which one", "the one", "any one", "someone")

// Number reads the one number in what was said, in digits or words: int when
// it is whole, else float64. Digits that are said one by one are put together
// ("four two one" is 421). Two numbers are no answer.
func Number(text string) (any, bool) {
	said, _ := withoutRuns(Words(text), notNumbers)
	if digits, all := Digits(said); all && len(digits) > 1 && len(digits) < 16 && len(said) >= len(digits) {
		n, err := strconv.Atoi(digits)
		return n, err == nil
	}
	var (
		value float64
		found bool
	)
	for i := 0; i < len(said); {
		n, took := cardinal(said[i:])
		if took == 0 {
			ordinalValue, used := ordinal(said[i:])
			n, took = float64(ordinalValue), used
		}
		if took == 0 {
			i++
			continue
		}
		if i > 0 && (said[i-1] == "minus" || said[i-1] == "negative") {
			n = -n
		}
		if year, used, ok := century(said[i:]); ok {
			n, took = float64(year), used
		}
		if found && n != value {
			return nil, false
		}
		value, found = n, true
		i += took
	}
	if !found {
		return nil, false
	}
	if value == math.Trunc(value) && math.Abs(value) < 1<<53 {
		return int(value), true
	}
	return value, true
}

// century reads a year, or a number said like one: nineteen eighty five, twenty
// twenty six, nineteen oh five.
func century(said []string) (year, took int, ok bool) {
	high, n := small(said)
	if n == 0 || high < 10 || n == 2 || len(said) <= n {
		return 0, 0, false
	}
	rest := said[n:]
	if rest[0] == "oh" || rest[0] == "o" {
		low, used := small(rest[1:])
		if used == 1 && low > 0 && low < 10 {
			return high*100 + low, n + 1 + used, true
		}
		return 0, 0, false
	}
	low, used := small(rest)
	if used == 0 || low < 10 {
		return 0, 0, false
	}
	return high*100 + low, n + used, true
}
