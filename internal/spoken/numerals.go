package spoken

import (
	"math"
	"strconv"
	"strings"
)

var (
	units = map[string]int{
		"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
		"ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
		"seventeen": 17, "eighteen": 18, "nineteen": 19,
	}
	tens = map[string]int{
		"twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
	}
	ordinals = map[string]int{
		"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
		"tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15,
		"sixteenth": 16, "seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
	}
	scales = map[string]float64{"thousand": 1e3, "million": 1e6, "billion": 1e9}
)

// plainInt reads a token of digits: 15 of "15", false for "15th" and "3.5".
func plainInt(token string) (int, bool) {
	if token == "" || len(token) > 9 {
		return 0, false
	}
	for _, r := range token {
		if r < '0' || r > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(token)
	return n, err == nil
}

// small reads a number below 100 from the front of said and returns how many
// words it took: 23 of "twenty three", 3 of "three o'clock".
func small(said []string) (value, took int) {
	if len(said) == 0 {
		return 0, 0
	}
	if n, ok := units[said[0]]; ok {
		return n, 1
	}
	if n, ok := tens[said[0]]; ok {
		if len(said) > 1 {
			if unit, ok := units[said[1]]; ok && unit > 0 && unit < 10 {
				return n + unit, 2
			}
		}
		return n, 1
	}
	return 0, 0
}

// ordinal reads an ordinal below 100 from the front of said: third, 3rd,
// twenty-first.
func ordinal(said []string) (value, took int) {
	if len(said) == 0 {
		return 0, 0
	}
	if n, ok := ordinals[said[0]]; ok {
		return n, 1
	}
	if n, ok := tens[said[0]]; ok && len(said) > 1 {
		if unit, ok := ordinals[said[1]]; ok && unit < 10 {
			return n + unit, 2
		}
	}
	for _, suffix := range []string{"st", "nd", "rd", "th"} {
		if root, ok := strings.CutSuffix(said[0], suffix); ok {
			if n, ok := plainInt(root); ok && n < 100 {
				return n, 1
			}
		}
	}
	return 0, 0
}

// cardinal reads a number from the front of said and returns how many words it
// took: "one hundred and five", "3.5", "two and a half", "a dozen".
func cardinal(said []string) (value float64, took int) {
	value, took = whole(said)
	if took == 0 {
		return halves(said)
	}
	rest := said[took:]
	if len(rest) > 1 && rest[0] == "point" {
		if digits, n := fraction(rest[1:]); n > 0 {
			part, _ := strconv.ParseFloat("0."+digits, 64)
			return value + part, took + 1 + n
		}
	}
	for phrase, part := range map[string]float64{"and a half": 0.5, "and one half": 0.5, "and a quarter": 0.25, "and three quarters": 0.75} {
		words := strings.Fields(phrase)
		if len(rest) >= len(words) && indexRun(rest[:len(words)], words) == 0 {
			return value + part, took + len(words)
		}
	}
	return value, took
}

// halves reads numbers that do not begin with a numeral.
func halves(said []string) (value float64, took int) {
	for _, special := range []struct {
		phrase string
		value  float64
	}{
		{"a couple of", 2}, {"a couple", 2}, {"couple of", 2}, {"couple", 2}, {"a pair", 2}, {"half a dozen", 6}, {"a dozen", 12}, {"dozen", 12},
		{"one half", 0.5}, {"a half", 0.5}, {"half", 0.5}, {"point five", 0.5}, {"none", 0},
	} {
		words := strings.Fields(special.phrase)
		if len(said) >= len(words) && indexRun(said[:len(words)], words) == 0 {
			return special.value, len(words)
		}
	}
	return 0, 0
}

// fraction reads the digits after "point".
func fraction(said []string) (digits string, took int) {
	for _, word := range said {
		n, ok := units[word]
		if word == "oh" || word == "o" {
			n, ok = 0, true
		}
		if !ok || n > 9 {
			if plain, isPlain := plainInt(word); isPlain && took == 0 {
				return strconv.Itoa(plain), 1
			}
			break
		}
		digits += strconv.Itoa(n)
		took++
	}
	return digits, took
}

// whole reads a number without a spoken fraction: the parts below a thousand
// each times their scale.
func whole(said []string) (value float64, took int) {
	limit := math.Inf(1) // scales must become smaller: one million two thousand
	for took < len(said) {
		at := took
		if said[at] == "and" && took > 0 {
			at++
		}
		part, n := hundreds(said[at:])
		if n == 0 {
			break
		}
		end := at + n
		scale := 1.0
		if end < len(said) && scales[said[end]] > 0 {
			scale = scales[said[end]]
			end++
		}
		if scale >= limit || took > 0 && part >= limit {
			break
		}
		value += part * scale
		took = end
		limit = scale
		if scale == 1 {
			break
		}
	}
	return value, took
}

// hundreds reads a number below 10,000: "twelve hundred and five", "a hundred",
// "45", "1,200", "3.5".
func hundreds(said []string) (value float64, took int) {
	if len(said) == 0 {
		return 0, 0
	}
	n, took := small(said)
	value = float64(n)
	if took == 0 {
		if said[0] == "a" && len(said) > 1 && (said[1] == "hundred" || scales[said[1]] > 0) {
			value, took = 1, 1
		} else if literal, ok := literalNumber(said[0]); ok {
			value, took = literal, 1
		} else {
			return 0, 0
		}
	}
	if took >= len(said) || said[took] != "hundred" || value <= 0 || value >= 100 {
		return value, took
	}
	value *= 100
	took++
	rest := said[took:]
	if len(rest) > 1 && rest[0] == "and" {
		if n, used := small(rest[1:]); used > 0 {
			return value + float64(n), took + 1 + used
		}
	}
	n, used := small(rest)
	return value + float64(n), took + used
}

// literalNumber reads a number in digits: 45, 1,200, 3.5.
func literalNumber(token string) (float64, bool) {
	if token == "" || token[0] < '0' || token[0] > '9' || strings.Trim(token, "0123456789.,") != "" || len(token) > 20 {
		return 0, false
	}
	wholePart, _, _ := strings.Cut(token, ".")
	if groups := strings.Split(wholePart, ","); len(groups) > 1 {
		for _, group := range groups[1:] {
			if len(group) != 3 {
				return 0, false
			}
		}
	}
	value, err := strconv.ParseFloat(strings.ReplaceAll(token, ",", ""), 64)
	return value, err == nil
}
