package blob

import (
	"mime"
	"net/url"
	"strings"
)

// Disposition returns a Content-Disposition header for a download. It names the file twice: in ASCII for old clients, and as RFC
// 6266 and RFC 8187 specify.
func Disposition(fileName string) string {
	if fileName == "" {
		return "attachment"
	}
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\/%`, r) {
			return '_'
		}
		return r
	}, fileName)
	header := mime.FormatMediaType("attachment", map[string]string{"filename": plain})
	if plain != fileName {
		header += "; filename*=UTF-8''" + extValue(fileName)
	}
	return header
}

// extValue escapes a value as RFC 8187 requires; url.PathEscape leaves some characters that it does not allow.
func extValue(s string) string {
	return strings.NewReplacer(":", "%3A", "=", "%3D", "@", "%40").Replace(url.PathEscape(s))
}
