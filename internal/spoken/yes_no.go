package spoken

import "slices"

var (
	yesWords = wordSet("yes yeah yep yup yea ya yah aye yessir uhhuh mhm mmhmm si")
	noWords  = wordSet("no nope nah naw nay nop uhuh")
	// weak words mean yes only where nothing says no.
	weakYes = wordSet(`sure ok okay okey right correct absolutely definitely certainly please affirmative indeed fine good great perfect
		exactly true alright totally surely gladly yay wonderful awesome cool excellent lovely agreed confirmed accept agree confirm`)
	negations = wordSet("not dont doesnt isnt cant wont never cannot didnt wouldnt shouldnt arent havent hasnt aint couldnt negative wrong incorrect false without neither none nothing disagree decline")

	yesPhrases = phrases("no problem", "not a problem", "no worries", "no objection", "no objections", "why not", "uh huh", "mm hmm", "mm hm",
		"of course", "sounds good", "sounds great", "that works", "works for me", "go ahead", "you bet", "by all means", "i do", "i am", "i will", "i can", "i would",
		"i have", "i did", "it is", "they are", "we do", "we are", "that is", "thats it", "lets do it", "i guess so", "i think so", "i suppose so", "for sure", "id love to", "i would love to", "cant wait", "couldnt agree more", "cant complain")
	noPhrases = phrases("of course not", "absolutely not", "certainly not", "definitely not", "not really", "no thanks", "no thank you", "not at all", "not at this time",
		"not right now", "not now", "not today", "not interested", "no way", "i dont think so", "i do not think so", "dont think so", "please dont", "please do not", "i do not", "i am not", "i will not", "i would not",
		"i have not", "i did not", "it is not", "they are not", "we do not", "we are not", "that is not", "id rather not", "i would rather not", "rather not", "uh uh", "i guess not", "i think not", "hardly", "not yet")
	doubts = phrases("not sure", "not so sure", "dont know", "do not know", "no idea", "not certain", "cant say", "cant tell", "dont remember", "cant remember", "dont understand", "didnt understand", "do not understand",
		"didnt hear", "cant hear", "did not hear", "cannot hear", "didnt catch", "did not catch", "not quite sure", "doesnt matter", "dont care", "dont mind", "what do you mean", "say that again", "say again")
	corrections = phrases("i mean", "actually", "wait", "sorry", "scratch that", "rather", "on second thought")
)

// YesNo reads an answer to a question for yes or no. The first clear word
// decides, unless the caller corrects it ("yes, I mean no") or says both at once
// ("yeah, no"), where the last one counts.
func YesNo(text string) (bool, bool) {
	said := Words(text)
	rest, doubtful := withoutRuns(said, doubts)
	rest, refused := withoutRuns(rest, noPhrases)
	rest, agreed := withoutRuns(rest, yesPhrases)
	if value, found := clearWord(rest); found {
		return value, true
	}
	if doubtful {
		return false, false
	}
	if refused || slices.ContainsFunc(rest, func(word string) bool { return negations[word] }) {
		return false, true
	}
	yes := agreed || slices.ContainsFunc(rest, func(word string) bool { return weakYes[word] })
	return yes, yes
}

// clearWord finds the yes or no that decides.
func clearWord(said []string) (value, found bool) {
	first, last := -1, -1
	for i, word := range said {
		if yesWords[word] || noWords[word] {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		return false, false
	}
	between := said[first+1 : max(last, first+1)]
	corrected := last == first+1 && last == len(said)-1
	for _, phrase := range corrections {
		corrected = corrected || Contains(between, phrase)
	}
	if corrected {
		first = last
	}
	return yesWords[said[first]], true
}
