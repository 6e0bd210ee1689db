package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Name returns the trimmed name that a person gave to something, or a complaint for that person: a name must have 1
// to lengthMax characters and no control character. The complaint is empty for a valid name.
func Name(given string, lengthMax int) (name, complaint string) {
	name = strings.TrimSpace(given)
	length := utf8.RuneCountInString(name)
	switch {
	case length == 0:
		return "", "is empty"
	case length > lengthMax:
		return "", fmt.Sprintf("has %d characters; at most %d are allowed", length, lengthMax)
	case !utf8.ValidString(name):
		return "", "is not valid UTF-8"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "", "holds a control character, such as a line break"
	}
	return name, ""
}
