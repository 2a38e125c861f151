package flow

import "github.com/callwright/callwright/internal/spoken"

// ByKeywords returns the target of the intent that the caller's words are about,
// told by keywords, or "": what counts when no model has told.
func (r Route) ByKeywords() string {
	if i := matchIntent(r.Intents, r.Text); i >= 0 {
		return r.Intents[i].To
	}
	return ""
}

// matchIntent returns the index of the intent that text is about, told by
// keywords, or -1. The one with the most matches wins, then the one that comes
// first.
func matchIntent(intents []Intent, text string) int {
	said := spoken.Words(text)
	for i := range said {
		said[i] = spoken.Stem(said[i])
	}
	best, most := -1, 0
	for i, intent := range intents {
		if n := intent.matches(said); n > most {
			best, most = i, n
		}
	}
	return best
}

// matches counts how many of the intent's keywords were said, a keyword of
// several words for each of them. Without keywords the words of its text that
// mean something are used.
func (t Intent) matches(said []string) int {
	total := 0
	for _, keyword := range t.keywords() {
		if spoken.Contains(said, keyword) {
			total += len(keyword)
		}
	}
	return total
}

// keywords returns the stems of each keyword.
func (t Intent) keywords() [][]string {
	var list [][]string
	for _, keyword := range t.Keywords {
		if stems := spoken.StemAll(spoken.Words(keyword)); len(stems) > 0 {
			list = append(list, stems)
		}
	}
	if len(list) > 0 {
		return list
	}
	for _, word := range spoken.Words(t.Text) {
		if !spoken.Filler(word) {
			list = append(list, []string{spoken.Stem(word)})
		}
	}
	return list
}
