package wire_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/callwright/callwright/internal/api/wire"
)

func TestLoose(t *testing.T) {
	type Top struct {
		ID string `json:"id,omitempty"`
	}
	type body struct {
		Top
		Name wire.Opt[string] `json:"name,omitzero"`
		Skip string           `json:"-"`
		Bare int
	}
	var got wire.Loose[body]
	if err := json.Unmarshal([]byte(`{"id":"1","Name":"other case","name":null,"Skip":"x","Bare":2,"deep":{"a":[1,null]}}`), &got); err != nil {
		t.Fatal(err)
	}
	if v := got.Value; v.ID != "1" || !v.Name.Null || v.Skip != "" || v.Bare != 2 {
		t.Errorf("known: %+v", v)
	}
	want := map[string]any{"Name": "other case", "Skip": "x", "deep": map[string]any{"a": []any{float64(1), nil}}}
	if !reflect.DeepEqual(got.Extra, want) {
		t.Errorf("unknown: %v", got.Extra)
	}
	if err := json.Unmarshal([]byte(`{}`), &got); err != nil || got.Extra != nil || got.Value.ID != "" {
		t.Errorf("an empty object left %+v, %v", got, err)
	}
	for _, bad := range []string{`[]`, `"x"`, `{"id":1}`} {
		if err := json.Unmarshal([]byte(bad), &got); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}
