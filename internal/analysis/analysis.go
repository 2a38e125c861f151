// Package analysis says after a call what it was about and how the caller felt,
// by counting words: no model is asked, and the result says so.
package analysis

import (
	"github.com/callwright/callwright/internal/domain"
)

// Method is the word by which an analysis says how it was made.
const Method = "lexicon"

// The sentiments.
const (
	Positive = "positive"
	Neutral  = "neutral"
	Negative = "negative"
)

// Analyse makes the analysis of an ended call from what was said in it. asks
// are the variables that the flow asked for, in its order; what the call
// captured beside them follows by name. The same call has the same analysis.
func Analyse(call *domain.Call, turns []domain.Turn, asks []string) domain.Analysis {
	return domain.Analysis{
		Summary:   summarise(call, turns, asks),
		Sentiment: feel(turns),
		Method:    Method,
	}
}

// feel is the sentiment of all that the caller said.
func feel(turns []domain.Turn) string {
	var sum score
	for _, turn := range turns {
		if turn.Role == domain.RoleCaller {
			sum.add(weigh(turn.Text))
		}
	}
	return sum.sentiment()
}
