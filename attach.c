#include "attach.h"
#include "folded.h"
#include "parameters.h"
#include "token.h"

#include <string.h>
#include <strings.h>

/*
 * What people send; for the rest octet-stream, by whose name a reader opens it
 * as well.  message/rfc822 is none of them: it cannot be in base64 (RFC 2046
 * section 5.2.1), and then its octets would not stay what they are.
 */
static const struct {
	const char *end;
	const char *type;
} types[] = {
	{ "7z",		"application/x-7z-compressed" },
	{ "avif",	"image/avif" },
	{ "bmp",	"image/bmp" },
	{ "bz2",	"application/x-bzip2" },
	{ "c",		"text/plain" },
	{ "conf",	"text/plain" },
	{ "css",	"text/css" },
	{ "csv",	"text/csv" },
	{ "diff",	"text/x-diff" },
	{ "doc",	"application/msword" },
	{ "docx",	"application/vnd.openxmlformats-officedocument."
			"wordprocessingml.document" },
	{ "epub",	"application/epub+zip" },
	{ "gif",	"image/gif" },
	{ "gz",		"application/gzip" },
	{ "h",		"text/plain" },
	{ "htm",	"text/html" },
	{ "html",	"text/html" },
	{ "ics",	"text/calendar" },
	{ "jpeg",	"image/jpeg" },
	{ "jpg",	"image/jpeg" },
	{ "js",		"text/javascript" },
	{ "json",	"application/json" },
	{ "log",	"text/plain" },
	{ "md",		"text/markdown" },
	{ "mp3",	"audio/mpeg" },
	{ "mp4",	"video/mp4" },
	{ "odp",	"application/vnd.oasis.opendocument.presentation" },
	{ "ods",	"application/vnd.oasis.opendocument.spreadsheet" },
	{ "odt",	"application/vnd.oasis.opendocument.text" },
	{ "ogg",	"audio/ogg" },
	{ "patch",	"text/x-diff" },
	{ "pdf",	"application/pdf" },
	{ "png",	"image/png" },
	{ "ppt",	"application/vnd.ms-powerpoint" },
	{ "pptx",	"application/vnd.openxmlformats-officedocument."
			"presentationml.presentation" },
	{ "ps",		"application/postscript" },
	{ "rtf",	"application/rtf" },
	{ "sh",		"text/x-shellscript" },
	{ "svg",	"image/svg+xml" },
	{ "tar",	"application/x-tar" },
	{ "tgz",	"application/gzip" },
	{ "tif",	"image/tiff" },
	{ "tiff",	"image/tiff" },
	{ "txt",	"text/plain" },
	{ "vcf",	"text/vcard" },
	{ "wav",	"audio/x-wav" },
	{ "webm",	"video/webm" },
	{ "webp",	"image/webp" },
	{ "xls",	"application/vnd.ms-excel" },
	{ "xlsx",	"application/vnd.openxmlformats-officedocument."
			"spreadsheetml.sheet" },
	{ "xml",	"application/xml" },
	{ "xz",		"application/x-xz" },
	{ "zip",	"application/zip" },
	{ "zst",	"application/zstd" },
};

static const char *
last_name(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash != NULL ? slash + 1 : file;
}

const char *
attach_type(const char *file)
{
	const char *name = last_name(file), *dot = strrchr(name, '.');
	size_t i;

	for (i = 0; dot != NULL && i < sizeof types / sizeof *types; i++)
		if (strcasecmp(types[i].end, dot + 1) == 0)
			return types[i].type;
	return "application/octet-stream";
}

bool
attach_is_text(const char *type)
{
	return strncmp(type, "text/", 5) == 0;
}

/* As a quoted string (RFC 2045 section 5.1). */
static char *
quoted(const char *name, struct pool *pool)
{
	char *clean = pool_string(pool, name), *p;

	for (p = clean; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '_';
	return token_quoted(clean, pool);
}

static void
put_field(struct buffer *out, const char *name, const char *value,
    struct pool *pool)
{
	struct folded line = { 0 };

	folded_begin(&line, name, strlen(name));
	parameters_put(&line, value, pool);
	folded_end(&line);
	buffer_put(out, buffer_data(&line.text), buffer_len(&line.text));
	buffer_free(&line.text);
}

void
attach_header(struct buffer *out, const char *file, const char *charset,
    struct pool *pool)
{
	const char *type = attach_type(file);

	if (charset != NULL)
		type = pool_printf(pool, "%s; charset=%s", type, charset);
	put_field(out, "Content-Type", type, pool);
	put_field(out, "Content-Disposition", pool_printf(pool,
	    "attachment; filename=%s", quoted(last_name(file), pool)), pool);
	buffer_printf(out, "Content-Transfer-Encoding: base64\r\n\r\n");
}
