package compliance

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// OptsOut reports whether what a person said in a call is a wish not to be
// called again, in English, Spanish, French or German. It knows the ways in
// which people say it, and errs on the side of those who do: 47 CFR
// 64.1200(a)(10) counts any reasonable means. A wish to be called at another
// time, or under another name, is none.
func OptsOut(text string) bool {
	for _, clause := range clauses(text) {
		if !slices.ContainsFunc(hints, func(hint string) bool { return strings.Contains(clause, hint) }) {
			continue // most of what is said: the wishes take a millisecond
		}
		for _, wish := range wishes() {
			if wish.MatchString(clause) {
				return true
			}
		}
	}
	return false
}

// folded writes letters without their accents, as speech recognition often does.
var folded = strings.NewReplacer(
	"á", "a", "à", "a", "â", "a", "ä", "ae", "é", "e", "è", "e", "ê", "e", "ë", "e", "í", "i", "î", "i", "ï", "i",
	"ó", "o", "ô", "o", "ö", "oe", "ú", "u", "ù", "u", "û", "u", "ü", "ue", "ñ", "n", "ç", "c", "ß", "ss", "œ", "oe",
)

// clauses are the parts of a text between marks that part sentences, in lower
// case, as words with one space between and around them.
func clauses(text string) []string {
	var list []string
	var words []string
	var word strings.Builder
	endWord := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	endClause := func() {
		endWord()
		if len(words) > 0 {
			list = append(list, " "+strings.Join(words, " ")+" ")
			words = nil
		}
	}
	for _, r := range folded.Replace(strings.ToLower(text)) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r):
			word.WriteRune(r)
		case r == '\'', r == '’', r == '‘': // don't is dont
		case strings.ContainsRune(".!?;:", r):
			endClause()
		default:
			endWord()
		}
	}
	endClause()
	return list
}

// The pieces of English wishes.
const (
	calling = `(call|calling|phone|phoning|telephone|telephoning|ring|ringing|dial|dialing|dialling|contact|contacting|bother|bothering|harass|harassing|disturb|disturbing)`
	whom    = `(me|us|here|(at )?(this|my|our|the) (house|home|number|phone( number)?|cell( phone)?|mobile|line|landline|office|workplace))`
	// What may follow "do not call me": the end, or what does not make it a wish
	// for another time or name.
	after = `( (again|any ?more|any longer|ever|no more|please|back again|thank|thanks|okay|ok|and|or|i|im|you|your|its|this is|at this|on this|at all|at home|at work|here|with|about|for|from|regarding|until i call|bye|goodbye|sir|maam|man)\b.*)? $`
)

// Each wish has one of the hints in it.
var hints = strings.Fields(`call phon ring dial contact bother harass disturb list base system record file regist remove delete erase
	unsub opt consent permission number alone peace hear cease block dnc solicit directory data take llam
	molest marc marque baja paz sistema appel teleph derang harcel fichier desins desab tranquil paix coup
	demarch ruf kontakt belaest nummer verteiler daten kartei ruhe frieden einwillig zustimm telef
	verzeichnis`)

var wishes = sync.OnceValue(func() []*regexp.Regexp {
	return compiled(
		// Do not call me again.
		`\b(do not|dont|donot|never|please not|not to|mustnt|must not|shouldnt|should not|cannot|cant|better not|no longer|quit|stop|cease) (you )?(ever |even |be |to )?(re)?`+calling+` `+whom+after,
		`\b(do not|dont|never) ever (call|phone|ring|contact) back\b`,
		`\b(do not|dont|never) (ever )?(call|phone|ring|dial|contact)( me)?( back)? (again|ever again|any ?more|any longer|ever)\b`,
		`\b(do not|dont|never|stop|not) (want|like|wish) (you |you guys |you people |anyone |anybody |your company )?(to be |being |to get |to receive |getting |receiving |to keep |to )*(called|calling|contacted|phoned|bothered|call|contact|phone|bother|harassed|your calls|these calls|any calls|any more calls|more calls|further calls|any further calls|calls|phone calls|any phone calls)\b( me| us| here| this number)?( again| any ?more| any longer| from| at| on| like| ever| please| so| and| or| i| thank| thanks|\s*$)`,
		`\b(stop|quit|cease) (all )?(the |these |those |your |making |with the |with these )*(damn |fucking |bloody |stupid |robo ?|sales |spam )*(calls|calling|phone calls|phoning|ringing|robocalls|solicitation|solicitations)( please| now| me| us| right now| immediately| already| here| this number| my \w+| and| or| i| today| thank| thanks)?\b.{0,40}$`,
		`\bno (more|further) (phone |sales |robo ?)?calls\b`,
		`\b(not|never) (to )?be (called|contacted|phoned|bothered) (again|any ?more|any longer|ever|by you|by your|on this|at this)\b`,
		// Take me off your list.
		`\b(take|taken|remove|removed|delete|deleted|strike|scratch|drop|get|erase|cross|pull|wipe|cut) (me|us|my (name|number|phone|phone number|cell|info|information|details|contact|contacts|data)|this number|this phone number|the number|our number|myself|it|that number)?( \w+)?( off| from| out)( of)? (your|the|this|that|any|all|all your|these|every|whatever|of your)( \w+){0,4}? ?(list|lists|database|databases|system|systems|records|record|file|files|register|registry|call|calls|contacts|directory|data)\b`,
		`\bbe (taken|removed|deleted|erased|dropped) (off|from)( of)? (your|the|this|that|any|all)( \w+){0,3} (list|lists|database|system|records|files|registry)\b`,
		`\b(remove|delete|erase|unsubscribe) (me|us|my (phone )?number|this (phone )?number|my (details|information|info|data))( please| now| immediately| right away)? $`,
		`\btake (me|us|my number|this number) off (please )?$`,
		`\b(put|add|place|get|want|register|be|go|include) (me|us|my (phone )?number|this (phone )?number|to be)?( \w+){0,3}? ?(on|to|onto) (your|the|a|that|our|my)( \w+){0,3}? ?(do not call|donot call|dont call|no call|no calls|dnc|blacklist|suppression|opt out|do not contact)\b`,
		`\b(do not call|dont call|dnc|do not contact|no call) (list|registry|register)\b`,
		`\b(unsubscribe|opt (me |us |my number )?out|opting out|opted out)\b`,
		`\b(revoke|withdraw|withdrawing|revoking|cancel) (my|any|all|our|the)( \w+)? (consent|permission)\b`,
		`\b(lose|forget|delete|erase) (my|this|our) (phone )?number\b`,
		`\b(leave|let) (me|us) (alone|be in peace|in peace)\b`,
		`\b(never|dont|do not) (want|wish|need|care) to (hear|be hearing) from (you|your|this|them)\b`,
		`\b(never|dont|do not) want to (ever )?hear from\b`,
		`\b(i|we) (said|told you|asked you|have asked you|have told you|already told you|already asked you)( you)?( people| guys)? (to stop|not to) (calling|call|contacting|contact|phoning|bothering)\b`,
		`\b(cease and desist)\b`,
		`\b(this is|thats|you are|youre) harass(ment|ing)\b`,
		`\b(im|i am|ill|i will) (going to |be |gonna )*block(ing)? (you|your|this)\b`,
		`\bnot interested (and )?(so |please )*(do not|dont|never|stop) (call|calling|contact|contacting|bother|bothering)\b`,

		// Spanish.
		`\bno (me|nos) (vuelva|vuelvas|vuelvan|volvais) a (llamar|contactar|molestar|marcar|telefonear)\b`,
		`\bno (vuelva|vuelvas|vuelvan) a (llamar|contactar|molestar|marcar)(me|nos)?\b`,
		`\bno (me|nos) (llame|llames|llamen|llameis|contacte|contacten|moleste|molesten|molestes|marque|marquen)( (mas|nunca|otra vez|jamas|de nuevo|por favor|a este numero|aqui|a mi casa)\b.*)? $`,
		`\bno (quiero|queremos|deseo|deseamos)( recibir| que me hagan)?( mas| sus| ninguna| ningunas| estas| otra)*( de estas| de sus)? llamadas?\b`,
		`\bno (quiero|queremos|deseo) que (me|nos) (llamen|llame|llames|contacten|molesten|vuelvan a llamar)( mas| nunca| otra vez| de nuevo| por favor)? $`,
		`\b(deje|deja|dejen|dejad|pare|paren|para) (ya )?de (llamar|llamarme|llamarnos|molestar(me|nos)?|contactarme|marcarme)\b`,
		`\b(borre|borren|borra|quite|quiten|quita|elimine|eliminen|elimina|saque|saquen|saca|retire|retiren)(me|nos)?( \w+){0,4} (lista|listas|base de datos|registro|registros|sistema)\b`,
		`\b(borreme|quiteme|quitenme|eliminenme|elimineme|saqueme|saquenme|borrenme) de\b`,
		`\b(deme|denme|dame|quiero darme|darme) de baja\b`,
		`\bno mas llamadas\b`,
		`\bdeje(n)?me en paz\b`,

		// French.
		`\b(ne )?(me|nous|m) (rappelez|appelez|rappelle|appelle|telephonez|contactez|recontactez|derangez|harcelez) (plus|jamais|pas)( (jamais|svp|sil vous plait|merci|a ce numero|ici)\b.*)? $`,
		`\b(ne )?(mappelez|mappelle|mappellez) (plus|jamais)\b`,
		`\b(ne|n) (rappelez|appelez|telephonez|contactez) (plus|jamais)\b`,
		`\b(arretez|arrete|cessez|cesse) (donc )?(de |d)?(mappeler|nous appeler|me (telephoner|contacter|deranger|harceler|rappeler)|me appeler|appeler|ces appels|vos appels|les appels|telephoner)\b`,
		`\b(retirez|enlevez|supprimez|rayez|effacez|retire|enleve|supprime|sortez)( \w+){0,5} (liste|listes|fichier|fichiers|base|bases|registre|systeme)\b`,
		`\b(je )?(ne )?(veux|souhaite|desire|voudrais|veut) (plus|pas) (que vous )?(recevoir )?(etre )?(de |d|vos |ces )?(appele|appelee|appels|contacte|contactee|rappele|rappelee|derange|derangee|demarche|demarchee|mappeliez|me rappeliez|rappel)\b`,
		`\bplus (aucun |jamais )?(d|de vos )?(appels?|coups? de fil|coups? de telephone) ?(s il vous plait|sil vous plait|merci|svp)? $`,
		`\bplus dappels?\b`,
		`\b(desinscrivez|desabonnez|desinscrire|desabonner|desinscription)\b`,
		`\b(laissez|laisse) (moi|nous) (tranquilles?|en paix)\b`,

		// German.
		`\b(rufen|ruf|ruft) (sie )?(mich|uns|hier|diese nummer|unter dieser nummer)?( \w+){0,3}? ?(nicht mehr|nie mehr|nie wieder|niemals wieder|nicht wieder|nicht noch einmal|nicht nochmal|nie nochmal|auf keinen fall mehr)( \w+){0,3}? an\b`,
		`\b(nicht mehr|nie wieder|nie mehr|nicht wieder)( \w+){0,3}? (anrufen|angerufen|anzurufen|kontaktieren|kontaktiert|belaestigen|belaestigt|telefonisch)\b`,
		`\bkeine( \w+){0,3}? (anrufe|werbeanrufe|telefonanrufe|kontaktaufnahme)( mehr)?\b`,
		`\b(streichen|loeschen|nehmen|entfernen|tragen|streich|loesch|nimm|entferne)( sie)? (mich|uns|meine (telefon)?nummer|meine daten|diese nummer|unsere nummer)( \w+){0,4} (liste|verteiler|datenbank|kartei|system|verzeichnis|daten|aus)\b`,
		`\b(loeschen|streichen) sie (bitte )?(meine (telefon)?nummer|meine daten)\b`,
		`\b(hoeren|hoer|hoert)( sie)? (bitte |endlich |sofort )*(damit )?auf( damit)?( \w+){0,2} (anzurufen|mich zu belaestigen|zu belaestigen)\b`,
		`\b(lassen|lass)( sie)? (mich|uns)( \w+)? in (ruhe|frieden)\b`,
		`\b(widerrufe|widerruf|ziehe)( ich)?( \w+){0,2} (einwilligung|zustimmung)\b`,
	)
})

func compiled(sources ...string) []*regexp.Regexp {
	list := make([]*regexp.Regexp, len(sources))
	for i, source := range sources {
		list[i] = regexp.MustCompile(source)
	}
	return list
}
