package analysis

import (
	"slices"
	"strings"
	"unicode"
)

// score adds up the weights of words, good and bad apart.
type score struct{ good, bad float64 }

func (s *score) add(other score) {
	s.good += other.good
	s.bad += other.bad
}

// margin is how much more one side must weigh before it is called a sentiment: a
// polite "thanks, bye" is none.
const margin = 2

// sentiment is positive or negative where one side weighs clearly more.
func (s *score) sentiment() string {
	switch {
	case s.good-s.bad >= margin && s.good >= 1.5*s.bad:
		return Positive
	case s.bad-s.good >= margin && s.bad >= 1.5*s.good:
		return Negative
	}
	return Neutral
}

// negationReach is how many words behind it a negation turns around.
const negationReach = 3

// weigh scores one turn. A negation turns around what follows it in the same
// clause; a booster before a word makes it heavier.
func weigh(text string) score {
	var s score
	for _, clause := range clauses(text) {
		negated, boost := 0, 1.0
		for i := 0; i < len(clause); {
			weight, length := weightAt(clause[i:])
			if weight != 0 {
				if negated > 0 {
					weight = -weight
				}
				s.count(weight * boost)
				boost = 1
			}
			switch word := clause[i]; {
			case weight != 0: // a phrase may hold a negation of its own
			case negations[word]:
				negated = negationReach + 1
			case word == "no": // "no good", but not "no that is good"
				negated = 2
			case boosters[word]:
				boost = 1.5
			}
			negated -= length
			i += length
		}
	}
	return s
}

func (s *score) count(weight float64) {
	if weight > 0 {
		s.good += weight
	} else {
		s.bad -= weight
	}
}

// weightAt returns the weight of the phrase or word that words begin with, 0 for
// none, and how many words it has.
func weightAt(words []string) (weight float64, length int) {
	for length := min(len(words), longestPhrase); length > 0; length-- {
		if weight := weights[strings.Join(words[:length], " ")]; weight != 0 {
			return weight, length
		}
	}
	return 0, 1
}

// clauses splits text into clauses of lower-case words without apostrophes.
func clauses(text string) [][]string {
	var all [][]string
	for _, part := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(".,;:!?—–\n", r) }) {
		words := strings.FieldsFunc(strings.NewReplacer("'", "", "’", "").Replace(part), func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r)
		})
		for len(words) > 0 {
			turn := slices.Index(words, "but")
			if turn < 0 {
				all = append(all, words)
				break
			}
			all, words = append(all, words[:turn]), words[turn+1:]
		}
	}
	return all
}
