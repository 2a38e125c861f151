package main

import (
	"go/token"
	"strings"
	"unicode"
)

// initials are words that Go writes in capitals.
var initials = map[string]bool{
	"api": true, "csv": true, "dtmf": true, "http": true, "ics": true, "id": true, "ip": true, "json": true, "llm": true,
	"rtp": true, "sip": true, "sms": true, "srtp": true, "stt": true, "tls": true, "tts": true, "url": true, "uri": true,
}

// words splits "phone-number_id", "phoneNumberId" and "PhoneNumberID".
func words(name string) []string {
	var all []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			all = append(all, strings.ToLower(string(word)))
		}
		word = word[:0]
	}
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
			continue
		case unicode.IsUpper(r) && (i > 0 && !unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])):
			flush()
		}
		word = append(word, r)
	}
	flush()
	return all
}

// exported is the Go name of something public.
func exported(name string) string {
	var b strings.Builder
	for _, w := range words(name) {
		if initials[w] {
			b.WriteString(strings.ToUpper(w))
			continue
		}
		b.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	if s := b.String(); s == "" || !unicode.IsLetter(rune(s[0])) {
		return "X" + s
	}
	return b.String()
}

// local is the Go name of an argument.
func local(name string) string {
	w := words(name)
	s := exported(name)
	s = strings.ToLower(s[:len(w[0])]) + s[len(w[0]):]
	if token.IsKeyword(s) || s == "c" || s == "ctx" || s == "body" || s == "query" || s == "more" {
		return s + "_"
	}
	return s
}

// noun is what an operation is about: "Flow" of "list-flows" and "create-flow".
func noun(operationID string) string {
	verb, rest, _ := strings.Cut(operationID, "-")
	if rest == "" {
		return exported(operationID)
	}
	if verb == "list" {
		rest = singular(rest)
	}
	return exported(rest)
}

// singular is the singular of an English plural, for the words that APIs list.
func singular(plural string) string {
	if stem, ok := strings.CutSuffix(plural, "ies"); ok {
		return stem + "y"
	}
	return strings.TrimSuffix(plural, "s")
}

// comment writes text as a Go comment of lines that begin with indent.
func comment(indent, text string) string {
	var b strings.Builder
	line := indent + "//"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > 100 && line != indent+"//" {
			b.WriteString(line + "\n")
			line = indent + "//"
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
	return b.String()
}
