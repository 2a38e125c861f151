package spoken

import "slices"

// OneOf finds the one choice that was meant and returns its index. A choice is a
// list of names for the same thing. It is found by a name, by its place ("the second one", "number two"), else by the words that only it
// has. Two choices are no answer.
func OneOf(text string, choices [][]string) (int, bool) {
	said := Words(text)
	for _, find := range []func([]string, [][]string) []int{exactChoices, namedChoices, placedChoices, similarChoices} {
		switch found := find(said, choices); len(found) {
		case 0:
		case 1:
			return found[0], true
		default:
			return -1, false
		}
	}
	return -1, false
}

// split splits each name of a choice into its words.
func split(names []string) [][]string {
	list := make([][]string, len(names))
	for i, name := range names {
		list[i] = Words(name)
	}
	return list
}

func exactChoices(said []string, choices [][]string) []int {
	var found []int
	for i, choice := range choices {
		if slices.ContainsFunc(split(choice), func(name []string) bool { return slices.Equal(name, said) }) {
			found = append(found, i)
		}
	}
	return found
}

// namedChoices finds choices whose words stand in what was said, but not after a
// "not". A choice whose words are part of another's that was said too is left
// out: "extra large" is not also "large".
func namedChoices(said []string, choices [][]string) []int {
	longest := map[int][]string{}
	for i, choice := range choices {
		for _, name := range split(choice) {
			at := indexRun(said, name)
			if at < 0 || denied(said, at) {
				continue
			}
			if len(name) > len(longest[i]) {
				longest[i] = name
			}
		}
	}
	var found []int
	for i, name := range longest {
		inside := false
		for j, other := range longest {
			if i != j && len(other) > len(name) && Contains(other, name) {
				inside = true
			}
		}
		if !inside {
			found = append(found, i)
		}
	}
	return found
}

// denied reports whether "not" stands before at, or before a small word that
// stands there: not red, not the red one, not on Friday.
func denied(said []string, at int) bool {
	if at >= 2 && slices.Contains([]string{"the", "a", "an", "on", "at", "in", "to", "this", "next"}, said[at-1]) {
		at--
	}
	return at >= 1 && negations[said[at-1]]
}

// placedChoices finds the choice by its number.
func placedChoices(said []string, choices [][]string) []int {
	if Contains(said, []string{"last"}) {
		return []int{len(choices) - 1}
	}
	for i := range said {
		n, took := ordinal(said[i:])
		if took == 0 && (i > 0 && slices.Contains([]string{"number", "option", "choice"}, said[i-1]) || len(said) == 1) {
			if n, took = small(said[i:]); took == 0 {
				n, _ = plainInt(said[i])
			}
		}
		if n >= 1 && n <= len(choices) && !denied(said, i) {
			return []int{n - 1}
		}
	}
	return nil
}

// similarChoices finds the choices that share the most meaningful words with
// what was said.
func similarChoices(said []string, choices [][]string) []int {
	stems := StemAll(said)
	var found []int
	most := 0
	for i, choice := range choices {
		score := 0
		for _, name := range split(choice) {
			n := 0
			for _, word := range name {
				at := slices.Index(stems, Stem(word))
				if !fillers[word] && at >= 0 && !denied(said, at) {
					n++
				}
			}
			score = max(score, n)
		}
		switch {
		case score == 0 || score < most:
		case score > most:
			found, most = []int{i}, score
		default:
			found = append(found, i)
		}
	}
	return found
}
