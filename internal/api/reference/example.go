package reference

import (
	"encoding/json"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// examples are likely values by the name of a field, or by how it ends.
var examples = []struct {
	name  string // "*Id" is every name that ends so
	value any
}{
	{"voiceId", "alloy"}, {"voice_id", "jennifer"}, {"pathway", anID},
	{"id", anID}, {"_id", anID}, {"*Id", anID}, {"*_id", anID},
	{"to", "+15551234567"}, {"from", "+15557654321"}, {"*phone", "+15551234567"}, {"*number", "+15551234567"}, {"*Number", "+15551234567"},
	{"*url", "https://example.com/hook"}, {"*Url", "https://example.com/hook"}, {"*email", "ada@example.com"},
	{"timezone", "America/New_York"}, {"language", "en-US"}, {"voice", "jennifer"}, {"name", "Sales Rep - Sarah"},
	{"firstMessage", "Hi, this is Sarah calling from Acme..."}, {"*Prompt", "You are a helpful support agent for Acme Corp..."},
	{"model_instructions", "You are a helpful support agent for Acme Corp..."},
	{"duration", 183}, {"limit", 50}, {"total", 1523}, {"offset", 0}, {"page", 1},
	{"host", "sip.example.com"}, {"events", []any{"call.ended"}}, {"secret", "whsec_..."}, {"key", "cw_live_..."},
}

const anID = "01a2012e785d3f9070119589"

// example makes a value of schema and prints it as people write JSON; "" when
// there is nothing to show.
func (s *sheet) example(schema *huma.Schema) string {
	var out strings.Builder
	s.write(&out, "", schema, "", 0)
	if out.Len() == 0 || out.String() == "{}" {
		return ""
	}
	return out.String()
}

// write prints a value of schema, which is the value of a field called name.
func (s *sheet) write(out *strings.Builder, name string, schema *huma.Schema, indent string, depth int) {
	of := s.resolve(schema)
	switch {
	case of == nil:
		out.WriteString("null")
	case len(of.Examples) > 0:
		writeValue(out, of.Examples[0])
	case of.Type == huma.TypeArray:
		if v, ok := likely(name); ok && of.Items != nil && of.Items.Type == huma.TypeString {
			writeValue(out, v)
			return
		}
		out.WriteString("[")
		if depth <= deepest {
			s.write(out, strings.TrimSuffix(name, "s"), of.Items, indent, depth+1)
		}
		out.WriteString("]")
	case len(of.Properties) > 0 && depth <= deepest:
		s.writeObject(out, schema, of, indent, depth)
	default:
		writeValue(out, value(name, of))
	}
}

func (s *sheet) writeObject(out *strings.Builder, schema, of *huma.Schema, indent string, depth int) {
	out.WriteString("{")
	inner := indent + "  "
	for i, field := range s.order(schema, of) {
		if i > 0 {
			out.WriteString(",")
		}
		out.WriteString("\n" + inner)
		writeValue(out, field)
		out.WriteString(": ")
		s.write(out, field, of.Properties[field], inner, depth+1)
	}
	out.WriteString("\n" + indent + "}")
}

func writeValue(out *strings.Builder, v any) {
	raw, err := json.Marshal(v)
	if err != nil { // an example that is no JSON
		raw = []byte("null")
	}
	out.Write(raw)
}

// value is a likely value of a field without fields of its own.
func value(name string, of *huma.Schema) any {
	if len(of.Enum) > 0 {
		return of.Enum[0]
	}
	v, known := likely(name)
	switch of.Type {
	case huma.TypeString:
		if text, ok := v.(string); ok && known && of.Format != "date-time" {
			return text
		}
		switch of.Format {
		case "date-time":
			return "2025-01-15T14:23:00Z"
		case "date":
			return "2025-01-15"
		}
		return "..."
	case huma.TypeInteger, huma.TypeNumber:
		if n, ok := v.(int); ok && known {
			return n
		}
		if of.Minimum != nil && *of.Minimum > 1 {
			return *of.Minimum
		}
		return 1
	case huma.TypeBoolean:
		return true
	case huma.TypeObject:
		return map[string]any{}
	}
	return nil
}

func likely(name string) (any, bool) {
	for _, e := range examples {
		if end, ok := strings.CutPrefix(e.name, "*"); ok && (strings.HasSuffix(name, end) || name == strings.ToLower(end)) || name == e.name {
			return e.value, true
		}
	}
	return nil, false
}

// curl is the request as one types it.
func (s *sheet) curl(method, path, media, body string) string {
	var out strings.Builder
	path = strings.NewReplacer("{", ":", "}", "").Replace(path)
	out.WriteString("curl")
	if method != "GET" {
		out.WriteString(" -X " + method)
	}
	out.WriteString(` "https://your-domain.com` + s.prefix + path + `" \` + "\n" + `  -H "Authorization: Bearer YOUR_API_KEY"`)
	switch media {
	case "":
	case "multipart/form-data":
		out.WriteString(" \\\n  -F \"file=@contacts.csv\"")
	default:
		out.WriteString(" \\\n  -H \"Content-Type: " + media + "\"")
		if body != "" {
			out.WriteString(" \\\n  -d '" + strings.ReplaceAll(body, "'", `'\''`) + "'")
		}
	}
	return out.String()
}
