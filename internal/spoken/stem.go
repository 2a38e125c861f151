package spoken

import "strings"

// fillers are words that say nothing about what somebody means.
var fillers = wordSet(`a an and any anything are as at be been but by can caller callers could customer did do does
	for from get got had has have he her him his how i if in is it its just let like may me my need needs of on or
	our please she should so some somebody someone something than that the their them then there they thing this to
	user users want wanted wants was we were what when which who why will wish with would you your about asks ask
	says say person im id ill ive were hes shes am us`)

// Contains reports whether run stands in list, word after word.
func Contains(list, run []string) bool { return indexRun(list, run) >= 0 }

// indexRun returns where run begins in list, or -1.
func indexRun(list, run []string) int {
	for i := 0; i+len(run) <= len(list) && len(run) > 0; i++ {
		same := true
		for j := range run {
			if list[i+j] != run[j] {
				same = false
				break
			}
		}
		if same {
			return i
		}
	}
	return -1
}

// Filler reports whether a word says nothing about what somebody means: the, want,
// caller.
func Filler(word string) bool { return fillers[word] }

// StemAll returns the stem of each word.
func StemAll(list []string) []string {
	stems := make([]string, len(list))
	for i, word := range list {
		stems[i] = Stem(word)
	}
	return stems
}

// Stem cuts the commonest endings of English off, so that "cancelling" and
// "cancels" meet in "cancel". It is light: what matters is that two forms of a
// word meet, not that the stem is one.
func Stem(word string) string {
	for _, suffix := range []string{"ations", "ation", "ments", "ment", "ings", "ing", "ies", "ied", "ed", "es", "s", "e", "y"} {
		root, ok := strings.CutSuffix(word, suffix)
		if !ok || len(root) < 3 || suffix == "s" && strings.HasSuffix(root, "s") {
			continue
		}
		if suffix == "ies" || suffix == "ied" || suffix == "y" {
			return root + "i"
		}
		return single(root)
	}
	return single(word)
}

// single halves a doubled last letter: cancell(ed), cancel.
func single(root string) string {
	if n := len(root); n > 3 && root[n-1] == root[n-2] && root[n-1] != 's' {
		return root[:n-1]
	}
	return root
}
