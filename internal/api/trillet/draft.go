package trillet

import (
	"regexp"
	"strings"

	"github.com/callwright/callwright/internal/api/wire"
	"github.com/callwright/callwright/internal/domain"
)

// draft is a flow that is being put together: its graph, and what is kept for
// the client.
type draft struct {
	graph     graph
	kept      map[string]any
	name      string
	fresh     bool // it is a new flow
	unwritten bool // nobody wrote its prompt
}

// take puts the fields that were sent into the draft.
func (d *draft) take(b *FlowFields) error {
	if b.Description.Sent {
		d.kept["description"] = b.Description.Value
	}
	if err := d.draw(b.FlowData); err != nil {
		return err
	}
	if b.Prompt.Sent {
		d.unwritten = strings.TrimSpace(b.Prompt.Value) == ""
		d.graph.setPrompt(*written(d.kept, "prompt", b.Prompt))
	}
	if d.unwritten && d.graph.talk() != nil {
		delete(d.kept, "prompt")
		d.graph.setPrompt(unprompted(d.name, d.kept))
	}
	if err := d.welcome(b); err != nil {
		return err
	}
	if err := d.settle(b.Settings); err != nil {
		return err
	}
	d.collect(b.Collections)
	return nil
}

// unprompted is what a flow without a prompt talks by: what is known of it.
func unprompted(name string, kept map[string]any) string {
	about := strings.TrimSpace(name + ". " + text(kept["description"]))
	prompt := "You are a friendly voice assistant on a phone call. The call is about: " + doubled(about)
	if data, ok := kept["flowData"].(map[string]any); ok {
		if steps := script(data); steps != "" {
			prompt += "\n\nFollow these steps:" + doubled(steps)
		}
	}
	return prompt
}

// draw takes a drawing: nodes of ours become the graph, another is kept.
func (d *draft) draw(sent wire.Opt[map[string]any]) error {
	if !sent.Sent {
		return nil
	}
	if d.graph.talk() == nil && sent.Null {
		return nil
	}
	delete(d.kept, "flowData")
	own, err := d.graph.redraw(sent.Value)
	if !own && sent.Value != nil {
		d.kept["flowData"] = sent.Value
	}
	return err
}

// welcome decides who begins.
func (d *draft) welcome(b *FlowFields) error {
	word, words := d.graph.welcome()
	if d.fresh && d.graph.talk() != nil {
		word = userInitiated
	}
	if b.CustomWelcomeMessage.Sent {
		words = *written(d.kept, "customWelcomeMessage", b.CustomWelcomeMessage)
		d.kept["customWelcomeMessage"] = b.CustomWelcomeMessage.Value
		if d.fresh && words != "" {
			word = aiCustom
		}
	}
	if sent := b.WelcomeMessage.Given(); sent != nil {
		switch word = *sent; word {
		case userInitiated, aiDynamic, aiCustom:
		default:
			return domain.Invalid("welcomeMessage", "welcomeMessage must be one of: %s, %s, %s", userInitiated, aiDynamic, aiCustom)
		}
		if word == aiCustom && words == "" {
			words = doubled(text(d.kept["customWelcomeMessage"]))
		}
		d.kept["welcomeMessage"] = word
	}
	if b.WelcomeMessage.Sent || b.CustomWelcomeMessage.Sent || d.fresh && d.graph.talk() != nil {
		d.graph.setWelcome(word, words)
	}
	return nil
}

// maxCallSeconds is the longest that a call may take.
const maxCallSeconds = 14_400

// settle keeps the settings and reads the longest call out of them.
func (d *draft) settle(sent wire.Opt[map[string]any]) error {
	if !sent.Sent {
		return nil
	}
	settings := without(sent.Value, "callSettings")
	for _, name := range []string{"callSettings", "callSetting"} { // two spellings of one thing
		inner, ok := sent.Value[name].(map[string]any)
		if !ok {
			continue
		}
		settings["callSetting"] = inner
		value, there := inner["maxCallDuration"]
		if !there {
			continue
		}
		field := "settings." + name + ".maxCallDuration"
		seconds, ok := value.(float64)
		if value != nil && (!ok || seconds < 0 || seconds > maxCallSeconds || seconds != float64(int64(seconds))) {
			return domain.Invalid(field, "%s must be a whole number of seconds, at most %d", field, maxCallSeconds)
		}
		d.graph.setLongest(int64(seconds))
	}
	have, _ := d.kept["settings"].(map[string]any)
	d.kept["settings"] = merged(have, settings)
	return nil
}

// collect makes the variables of the default collections the graph's.
func (d *draft) collect(sent wire.Opt[[]collection]) {
	if !sent.Sent {
		return
	}
	variables, _ := d.graph["variables"].(map[string]any)
	if variables == nil {
		variables = map[string]any{}
	}
	for name := range defaults(d.kept["dynamicVariableCollections"]) {
		delete(variables, name)
	}
	all := make([]any, len(sent.Value))
	for i, c := range sent.Value {
		all[i] = map[string]any(c)
	}
	d.kept["dynamicVariableCollections"] = all
	for name, value := range defaults(all) {
		variables[name] = value
	}
	delete(d.graph, "variables")
	if len(variables) > 0 {
		d.graph["variables"] = variables
	}
}

// variableName is what a flow's variable may be called.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// defaults are the variables of the default collections.
func defaults(collections any) map[string]any {
	all := map[string]any{}
	for _, c := range objects(collections) {
		if c["isDefault"] != true {
			continue
		}
		for _, v := range objects(c["variables"]) {
			if name := text(v["key"]); variableName.MatchString(name) {
				all[name] = v["value"]
			}
		}
	}
	return all
}
