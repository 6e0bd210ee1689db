package httpx

import (
	"net/http"

	"github.com/klauspost/compress/gzhttp"
)

// gzipSizeBytesMin is the size from which compression pays for its time.
const gzipSizeBytesMin = 2048

// Compress wraps a handler so that it compresses responses for clients that accept gzip, except those of the given
// content types.
func Compress(h http.Handler, exceptTypes ...string) http.Handler {
	types := gzhttp.ContentTypeFilter(gzhttp.DefaultContentTypeFilter)
	if len(exceptTypes) > 0 {
		types = gzhttp.ExceptContentTypes(exceptTypes)
	}
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(gzipSizeBytesMin), gzhttp.CompressionLevel(1), types)
	if err != nil {
		panic(err) // the options are constants and valid
	}
	return wrap(h)
}
