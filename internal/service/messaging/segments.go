package messaging

import (
	"strings"
	"unicode/utf16"

	"github.com/callwright/callwright/internal/domain"
)

// What one message holds, and each part of one that is sent in several: the
// header that joins the parts takes 6 octets of 140 (3GPP TS 23.040 section
// 9.2.3.24.1).
const (
	septets     = 160
	septetsPart = 153
	units       = 70 // of UTF-16
	unitsPart   = 67
)

// The default alphabet and its extension table, whose characters take two
// septets (3GPP TS 23.038 section 6.2.1).
const (
	alphabet = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	extension = "\f^{}\\[~]|€"
)

// Measure returns the alphabet that a text is sent in and the parts it takes. A
// character is never parted: one that does not fit moves to the next part.
func Measure(text string) (domain.MessageEncoding, int) {
	sizes := make([]int, 0, len(text))
	for _, r := range text {
		switch {
		case strings.ContainsRune(alphabet, r):
			sizes = append(sizes, 1)
		case strings.ContainsRune(extension, r):
			sizes = append(sizes, 2)
		default:
			return domain.EncodingUCS2, partsOf(unitsOf(text), units, unitsPart)
		}
	}
	return domain.EncodingGSM7, partsOf(sizes, septets, septetsPart)
}

// unitsOf are the sizes of a text's characters in UTF-16.
func unitsOf(text string) []int {
	sizes := make([]int, 0, len(text))
	for _, r := range text {
		sizes = append(sizes, max(utf16.RuneLen(r), 1))
	}
	return sizes
}

// partsOf counts the parts of characters of such sizes.
func partsOf(sizes []int, whole, part int) int {
	total, parts, room := 0, 1, part
	for _, size := range sizes {
		total += size
		if room < size {
			parts, room = parts+1, part
		}
		room -= size
	}
	if total <= whole {
		return 1
	}
	return parts
}
