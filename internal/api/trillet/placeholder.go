package trillet

import (
	"regexp"
	"strings"
)

// placeholder is a variable in a text of this dialect: {first_name}.
var placeholder = regexp.MustCompile(`\{[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*\}`)

// doubled writes a text's placeholders as everything behind the dialect knows
// them, {{first_name}}. Those that are written so already stay.
func doubled(text string) string {
	var out strings.Builder
	at := 0
	for _, found := range placeholder.FindAllStringIndex(text, -1) {
		from, to := found[0], found[1]
		out.WriteString(text[at:from])
		at = to
		if from > 0 && text[from-1] == '{' || to < len(text) && text[to] == '}' {
			out.WriteString(text[from:to])
			continue
		}
		out.WriteString("{" + text[from:to] + "}")
	}
	return out.String() + text[at:]
}

// asWritten returns a stored text as the client wrote it: what is kept under
// name, as long as it still says the same.
func asWritten(kept map[string]any, name, stored string) string {
	if wrote, ok := kept[name].(string); ok && doubled(wrote) == stored {
		return wrote
	}
	return stored
}
