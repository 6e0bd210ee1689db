package destination

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/text"
)

const (
	// prefixBytesMax leaves room for the name of the file: the key of an object has at most 1024 bytes.
	prefixBytesMax = 500
	exportIDName   = "export_id"

	orderNameBytesMax = 150

	// noOrder stands for the order of an export that no order has made. An empty value would leave an empty folder.
	noOrder = "no-order"
)

// Placeholders are the names that a prefix may have in braces.
var Placeholders = []string{"year", "month", "day", "date", exportIDName, "order_id", "order_name"}

// Delivered is what the placeholders of a prefix stand for.
type Delivered struct {
	Export    id.Export
	CreatedAt time.Time // of the export; dates are in UTC
	Order     id.Order  // that made the export; zero for none
	OrderName string    // when it made the export, as a part of a path of at most 150 bytes; empty for none
}

var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

// Folder returns the folder of a delivery: the prefix with its placeholders filled in, and a slash at its end unless it is empty. The
// same export always has the same folder.
func Folder(prefix string, d Delivered) string {
	at := d.CreatedAt.UTC()
	values := map[string]string{
		"year": at.Format("2006"), "month": at.Format("01"), "day": at.Format("02"), "date": at.Format(time.DateOnly), exportIDName: d.Export.String(),
		"order_id": noOrder, "order_name": noOrder,
	}
	if !d.Order.IsZero() {
		values["order_id"], values["order_name"] = d.Order.String(), d.OrderName
	}
	folder := placeholder.ReplaceAllStringFunc(prefix, func(p string) string { return values[strings.Trim(p, "{}")] })
	if folder != "" && !strings.HasSuffix(folder, "/") {
		folder += "/"
	}
	return folder
}

// NamesExport reports whether the folder of each export is its own.
func NamesExport(prefix string) bool { return strings.Contains(prefix, "{"+exportIDName+"}") }

// longest has the longest value of every placeholder.
var longest = Delivered{Order: id.New[id.Order](), OrderName: strings.Repeat("x", orderNameBytesMax)}

// prefixFault returns what is wrong with a prefix; empty if nothing is.
func prefixFault(prefix string, kind Kind) string {
	known := "{" + strings.Join(Placeholders, "}, {") + "}"
	switch {
	case len(prefix) > prefixBytesMax:
		return fmt.Sprintf("is longer than %d bytes", prefixBytesMax)
	case len(Folder(prefix, longest)) > prefixBytesMax:
		return fmt.Sprintf("can become longer than %d bytes when its placeholders are filled in", prefixBytesMax)
	case !utf8.ValidString(prefix):
		return "is not valid UTF-8"
	case strings.ContainsFunc(prefix, func(r rune) bool { return unicode.IsControl(r) || r == '\\' }):
		return `must not have control characters or \; folders are separated by /`
	case kind == S3 && strings.HasPrefix(prefix, "/"):
		return "must not begin with /: the keys of a bucket do not"
	}
	for _, p := range placeholder.FindAllStringSubmatch(prefix, -1) {
		if near := text.Nearest(p[1], Placeholders); !slices.Contains(Placeholders, p[1]) {
			if near != "" {
				return "has the placeholder {" + text.Short(p[1]) + "}, which is not known; did you mean {" + near + "}?"
			}
			return "has the placeholder {" + text.Short(p[1]) + "}, which is not known; the placeholders are " + known
		}
	}
	if strings.ContainsAny(placeholder.ReplaceAllString(prefix, ""), "{}") {
		return "has a brace without its partner; the placeholders are " + known
	}
	folders := strings.Split(strings.TrimSuffix(strings.TrimPrefix(prefix, "/"), "/"), "/")
	for i, folder := range folders {
		switch {
		case folder == ".." || folder == ".":
			return "must not have . or .. as a folder"
		case folder == "" && (len(folders) > 1 || prefix == "/" && kind == S3):
			return "has an empty folder: // or a slash too many"
		case strings.TrimSpace(folder) != folder:
			return fmt.Sprintf("has a folder that begins or ends with a space: folder %d", i+1)
		}
	}
	return ""
}
