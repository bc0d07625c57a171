#include "cli/defect_words.h"

namespace watchpost::cli {

std::string_view words_of(mime::Defect defect) {
  using enum mime::Defect;
  switch (defect) {
    case field_without_colon: return "a line of the header is no field";
    case bad_field_name: return "the name of a field has blanks or bytes that none may have";
    case bad_folding: return "a field is continued by a blank line, or there is none to continue";
    case nul_byte: return "a NUL byte";
    case eight_bit: return "8-bit bytes in a header, and they are not UTF-8";
    case bare_cr: return "a carriage return that ends no line";
    case bare_lf: return "a line ends with LF alone, others with CRLF";
    case long_line: return "a line of more than 998 bytes";
    case doubled_field: return "a field that may be there once is there again";
    case header_too_large: return "the header is too large; the rest of it was not read";
    case no_header: return "there is no header: it begins with the body";
    case no_blank_line: return "no blank line ends the header";
    case bad_address: return "an address that cannot be one";
    case bad_encoded_word: return "an encoded word that cannot be decoded";
    case bad_parameter: return "a parameter that cannot be read";
    case doubled_parameter: return "a parameter is given twice with two values";
    case bad_content_type: return "a content type that is none; read as text/plain";
    case no_boundary: return "a multipart that names no boundary";
    case bad_boundary: return "a boundary that is empty, too long or of forbidden characters";
    case missing_end_boundary: return "the last part has no end boundary";
    case boundary_never_found: return "a multipart without a single part";
    case ambiguous_boundary: return "a boundary that other readers may see elsewhere";
    case text_after_end: return "text behind the last boundary";
    case bad_encoding: return "a transfer encoding that is none, or content that is not in it";
    case encoded_multipart: return "a transfer encoding where none is allowed";
    case too_deep: return "parts within parts too deep; not taken apart from here";
    case too_many_parts: return "too many parts; not taken apart from here";
    case bad_base64: return "base64 with strange bytes or a wrong end";
    case base64_after_padding: return "base64 goes on behind its end";
    case bad_quoted_printable: return "quoted-printable with a sign that packs no byte";
    case unknown_charset: return "a charset that nobody knows";
    case bad_charset_bytes: return "bytes that the charset does not have";
    case decoded_too_large: return "the content is too large; the rest was not decoded";
  }
  return "";
}

}  // namespace watchpost::cli
