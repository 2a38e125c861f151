package domain

import "testing"

func TestUUIDSpellsTheID(t *testing.T) {
	if got := UUIDOf("0123456789abcdef01234567"); got != "01234567-89ab-8cde-8f01-234567000000" {
		t.Error(got)
	}
	seen := map[string]bool{}
	for range 1000 {
		id := NewID()
		uuid := UUIDOf(id)
		if IDOfUUID(uuid) != id || seen[uuid] {
			t.Fatalf("%s became %s and then %s", id, uuid, IDOfUUID(uuid))
		}
		seen[uuid] = true
	}
	for _, s := range []string{
		"", "x", "0123456789abcdef01234567", "01234567-89ab-8cde-8f01-234567000001", "01234567-89AB-8cde-8f01-234567000000",
		"01234567-89ab-4cde-8f01-234567000000", "01234567+89ab+8cde+8f01+234567000000", "éééééééééééééééééé",
	} {
		if got := IDOfUUID(s); got != ID(s) {
			t.Errorf("%q became %q", s, got)
		}
	}
	if got := UUIDOf("not an id"); got != "" {
		t.Error(got)
	}
}
