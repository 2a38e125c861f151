package native

import (
	"encoding/json"
	"testing"

	"github.com/callwright/callwright/internal/domain"
)

func TestLatency(t *testing.T) {
	answer := func(endpoint, first, own int64) domain.Turn {
		return domain.Turn{Role: domain.RoleAgent, Latency: &domain.TurnLatency{EotAt: 5000, Endpoint: endpoint, FirstRTP: first, Own: own}}
	}
	greeting := domain.Turn{Role: domain.RoleAgent, Latency: &domain.TurnLatency{FirstRTP: 31, Own: 30}}
	caller := domain.Turn{Role: domain.RoleCaller}
	for name, c := range map[string]struct {
		turns []domain.Turn
		want  string
	}{
		"nothing":          {nil, "null"},
		"only the caller":  {[]domain.Turn{caller}, "null"},
		"only a greeting":  {[]domain.Turn{greeting, caller}, `{"greetingMs":31,"answers":0,"responseP50Ms":null,"responseMaxMs":null,"ownP50Ms":null,"ownMaxMs":null}`},
		"without greeting": {[]domain.Turn{caller, answer(500, 300, 7)}, `{"greetingMs":null,"answers":1,"responseP50Ms":800,"responseMaxMs":800,"ownP50Ms":7,"ownMaxMs":7}`},
		"several": {[]domain.Turn{greeting, caller, answer(500, 900, 9), caller, answer(500, 100, 8), caller, answer(500, 200, 22)},
			`{"greetingMs":31,"answers":3,"responseP50Ms":700,"responseMaxMs":1400,"ownP50Ms":9,"ownMaxMs":22}`},
	} {
		got, err := json.Marshal(callLatency(c.turns))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, c.want)
		}
	}
	if latency(nil) != nil {
		t.Error("no latency is shown as one")
	}
	if got := latency(&domain.TurnLatency{Endpoint: 500, FirstRTP: 300}); got.ResponseMs != 800 {
		t.Errorf("the response is %d ms, want 800", got.ResponseMs)
	}
}
