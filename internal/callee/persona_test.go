package callee

import "testing"

func TestPersonaOf(t *testing.T) {
	for number, want := range map[string]string{
		"+15005550000": "invalid", "+15005550001": "busy", "+15005550002": "absent", "+15005550003": "voicemail", "+15005550004": "declines",
		"+15005550005": "hangs up early", "+15005550006": "answers", "+15005550007": "silent", "+15005550008": "interrupts", "+15005550009": "opts out",
		"+15009990006": "answers", "+15000000001": "busy", "15005550006": "answers",
		"+15005551006": "brief", "+15105550006": "brief", "+4915005550006": "brief", "+1500555000": "brief", "+150055500066": "brief", "": "brief", "+1500555000x": "brief",
	} {
		if got := personaOf(number).name; got != want {
			t.Errorf("%q is answered by %s, want %s", number, got, want)
		}
	}
	for _, p := range personas {
		if (p.talk == nil) != (p.status != 0 || p.mute) {
			t.Errorf("%s neither refuses nor talks, or both", p.name)
		}
	}
}
