package lift

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestLift(t *testing.T) {
	t.Parallel()
	l := New(true, []string{"state IN ('planned', 'claimed') AND recipient_id <> '' AND due_at > 0"})
	for text, want := range map[string]struct {
		text string
		args []any
	}{
		`SELECT "a"."id" FROM "a" WHERE (id = '01a2') AND (n > 12) LIMIT 5`: {
			`SELECT "a"."id" FROM "a" WHERE (id = $1) AND (n > $2) LIMIT 5`, []any{"01a2", int64(12)}},
		`UPDATE a SET x = 'it''s', y = y + 1, z=-4 WHERE id IN ('k', 'planned')`: {
			`UPDATE a SET x = $1, y = y + 1, z=-4 WHERE id IN ($2, 'planned')`, []any{"it's", "k"}},
		`SELECT 1 FROM a WHERE state = 'planned' AND recipient_id <> '' AND due_at > 0 AND b = 0 AND c = 'x'`: {
			`SELECT 1 FROM a WHERE state = 'planned' AND recipient_id <> '' AND due_at > 0 AND b = 0 AND c = $1`, []any{"x"}},
		`INSERT INTO a (b) VALUES ('planned', 0, X'00ff', NULL, (SELECT max(n) + 1 FROM c WHERE d = 7 AND e <> '')), (1.5, 'y') ON CONFLICT (b) DO UPDATE SET n = a.n + excluded.n, m = 3`: {
			`INSERT INTO a (b) VALUES ($1, $2, $3, NULL, (SELECT max(n) + 1 FROM c WHERE d = $4 AND e <> '')), (1.5, $5) ON CONFLICT (b) DO UPDATE SET n = a.n + excluded.n, m = $6`,
			[]any{"planned", int64(0), []byte{0, 255}, int64(7), "y", int64(3)}},
		`DELETE FROM a WHERE (b, c) IN (VALUES (1, 'x'), (2, 'y'))`: {
			`DELETE FROM a WHERE (b, c) IN (VALUES (1, $1), (2, $2))`, []any{"x", "y"}},
		`SELECT pg_lock(h(current_schema() || ' calls 1', 0))`:   {`SELECT pg_lock(h(current_schema() || $1, 0))`, []any{" calls 1"}},
		`SELECT * FROM "say ""when = 'x'" WHERE a2 = '"'`:        {`SELECT * FROM "say ""when = 'x'" WHERE a2 = $1`, []any{`"`}},
		`SELECT * FROM a WHERE b = E'x' AND c LIKE 'y' AND d=''`: {},
		`SELECT * FROM a WHERE b = 'x' -- = 'y'`:                 {},
		`SELECT * FROM a WHERE b = 'x' /* it's */`:               {},
		`SELECT * FROM a WHERE b = ? AND c = 'x'`:                {},
		`SELECT * FROM a WHERE b = $1 AND c = 'x'`:               {},
		`SELECT 1; SELECT 2 WHERE a = 'x'`:                       {},
		`SELECT * FROM a WHERE b = 'x`:                           {},
		`SELECT X'0' WHERE b = 'x'`:                              {},
		`BEGIN`:                                                  {},
	} {
		got, args, ok := l.Lift(text)
		if want.text == "" {
			want.text = text
		}
		if got != want.text || !reflect.DeepEqual(args, want.args) || ok != (args != nil) {
			t.Errorf("%s\nis   %s %#v %v\nwant %s %#v", text, got, args, ok, want.text, want.args)
		}
	}
	many := "INSERT INTO a VALUES (" + strings.Repeat("1, ", mostValues) + "2)"
	if _, _, ok := l.Lift(many); ok {
		t.Error("too many values were lifted")
	}
	if _, args, ok := New(false, nil).Lift("SELECT 1 WHERE a = 3"); !ok || len(args) != 1 {
		t.Error("nothing was lifted")
	}
}

// FuzzLift puts the values back where they were: nothing else may have changed.
func FuzzLift(f *testing.F) {
	for _, seed := range []string{
		`SELECT "a" FROM b WHERE c = 'd''e' AND f IN ('g', 'h') AND i > 12 AND j = X'0aff'`,
		`INSERT INTO a VALUES (1, 'x', X'') ON CONFLICT DO UPDATE SET b = 'y'`, `'`, `=''''`, `="`, `=x'`, `=0x1`, `=01`, "='\x00\xff'",
	} {
		f.Add(seed)
	}
	l := New(true, []string{"state = 'planned' AND n = 0"})
	f.Fuzz(func(t *testing.T, text string) {
		lifted, args, ok := l.Lift(text)
		if !ok {
			if lifted != text {
				t.Fatalf("%q became %q", text, lifted)
			}
			return
		}
		for i := len(args); i > 0; i-- {
			lifted = strings.Replace(lifted, fmt.Sprintf("$%d", i), literal(args[i-1]), 1)
		}
		if !strings.EqualFold(lifted, text) { // x'AB' became X'ab'
			t.Fatalf("%q\nbecame %q", text, lifted)
		}
	})
}

func literal(v any) string {
	switch v := v.(type) {
	case string:
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	case []byte:
		return fmt.Sprintf("X'%x'", v)
	}
	return fmt.Sprint(v)
}

func BenchmarkLift(b *testing.B) {
	l := New(true, []string{"state IN ('planned', 'claimed')"})
	text := `UPDATE "calls" AS "call_row" SET "state" = 'completed', "end_reason" = 'flow-ended', "agent_id" = '01a203cf566024e21fdcd7be', ` +
		`"variables" = '{"name":"Ada","city":"Oslo"}', "version" = version + 1, "answered_at" = 1781618402297193 WHERE (id = '01a203cf566024e21fdcd7be')`
	for b.Loop() {
		if _, _, ok := l.Lift(text); !ok {
			b.Fatal("nothing was lifted")
		}
	}
}
