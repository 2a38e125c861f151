package engine

import "testing"

func TestMachineWords(t *testing.T) {
	for words, machine := range map[string]bool{
		"Hi, you have reached Casey. Please leave a message": true,
		"leave your name and a short message":                true,
		"I'll get back to you. Leave me a quick message.":    true,
		"please speak after the tone":                        true,
		"AFTER THE BEEP":                                     true,
		"you have reached the voicemail of":                  true,
		"this mailbox is full":                               true,
		"record your message now":                            true,
		"Hello, Casey speaking.":                             false,
		"I am not available on Tuesday":                      false,
		"can I leave at three":                               false,
		"what is the message":                                false,
		"":                                                   false,
	} {
		d, err := newDetector(8000)
		if err != nil {
			t.Fatal(err)
		}
		d.hears(words)
		if d.words.Load() != machine {
			t.Errorf("%q: a machine is %v, want %v", words, d.words.Load(), machine)
		}
	}
	var none *detector // of calls that came in
	none.hears("leave a message after the tone")
	none.hear(make([]int16, 160), true, nil)
}
