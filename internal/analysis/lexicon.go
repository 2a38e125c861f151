package analysis

import "strings"

// longestPhrase is the number of words of the longest entry.
const longestPhrase = 4

// weights are words and phrases as they are spoken on the telephone, lower case
// and without apostrophes, with what they weigh: 1 is friendly or displeased, 2
// is a clear feeling, 3 leaves no doubt. A phrase counts instead of its words.
var weights = lexicon(map[float64]string{
	3: `love it; amazing; fantastic; excellent; thrilled; delighted; so happy`,
	2: `great; wonderful; awesome; perfect; love; happy; glad; pleased; excited; brilliant; superb; impressed;
		very helpful; so helpful; appreciate it; appreciate that; appreciate you; im interested; very interested;
		sounds good; sounds great; works for me; looking forward; thank you so much; thanks so much; cant wait;
		couldnt be better; cannot complain; cant complain; well done; good job; definitely interested`,
	1: `good; nice; thanks; thank you; helpful; appreciate; interested; fine; cool; lovely; easy; friendly; enjoy; enjoyed;
		satisfied; comfortable; no problem; no worries; not bad; my pleasure; like it; kind of you; correct; absolutely`,
	-1: `bad; wrong; slow; expensive; annoying; confusing; confused; difficult; problem; issue; worried; disappointed;
		unfortunately; unhappy; sad; tired; sick; waste; complain; complaint; fail; failed; broken; late; trouble; sorry to say;
		not interested; no interest; no thanks; no thank you; not really; too busy; leave me; cancel`,
	-2: `terrible; awful; angry; upset; frustrated; frustrating; ridiculous; useless; horrible; hate; unacceptable; worst;
		rude; annoyed; mad; furious; stupid; scam; spam; fraud; waste of time; waste of money; fed up; sick of; tired of;
		not happy; stop calling; dont call; do not call; never call; take me off; remove me; leave me alone; go away;
		wasting my time; how dare you; shut up; not good enough`,
	-3: `fuck; fucking; bullshit; sue you; my lawyer; report you; harassment; harassing; disgusting; disgusted; go to hell`,
})

var (
	negations = wordSet(`not; never; dont; doesnt; didnt; isnt; arent; wasnt; werent; cant; cannot; couldnt; wont; wouldnt; shouldnt;
		hasnt; havent; hadnt; aint; without; hardly; barely; nothing; neither; nor`)
	boosters = wordSet(`very; really; so; extremely; absolutely; totally; completely; incredibly; super; too; damn`)
)

func lexicon(entries map[float64]string) map[string]float64 {
	all := make(map[string]float64)
	for weight, list := range entries {
		for entry := range wordSet(list) {
			all[entry] = weight
		}
	}
	return all
}

// wordSet reads a list that is divided by semicolons.
func wordSet(list string) map[string]bool {
	set := make(map[string]bool)
	for entry := range strings.SplitSeq(list, ";") {
		set[strings.Join(strings.Fields(entry), " ")] = true
	}
	return set
}
