#pragma once
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace watchpost {

// All functions here are pure and total: any bytes may come in.

std::string_view trim(std::string_view text);
std::string lower_ascii(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
// Whitespace-separated words; no empty ones.
std::vector<std::string_view> words(std::string_view text);

// For terminals and log lines: control bytes (C0, C1, DEL), invalid UTF-8 and the bidirectional
// controls of Unicode come out as \xNN or \u{NNNN}. The result is valid UTF-8 on one line.
std::string escaped(std::string_view hostile);
// The same, cut to about `most` bytes with an ellipsis.
std::string escaped(std::string_view hostile, size_t most);

std::string hex(std::span<const unsigned char> bytes);

// The candidate nearest to `word` by edit distance, where one is near enough to be what was meant.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);
// "; did you mean `x`?" or nothing: the tail of an error message.
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates);

// The part behind the last '@'; empty where there is none.
std::string_view domain_of(std::string_view address);

}  // namespace watchpost
