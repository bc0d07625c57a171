#include "expr/pattern.h"

#include <re2/re2.h>

namespace watchpost::expr {
namespace {

// For the program and its automaton together. A pattern that needs more is refused when it is read;
// an automaton that would grow larger starts over.
constexpr int64_t kMostMemory = 1 << 20;

}  // namespace

Pattern::Pattern(std::unique_ptr<re2::RE2> compiled) : compiled_(std::move(compiled)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

std::expected<Pattern, Pattern::Fault> Pattern::make(std::string_view text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMostMemory);
  options.set_never_capture(true);
  auto compiled = std::make_unique<re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (!compiled->ok()) {
    const size_t at = text.find(compiled->error_arg());
    return std::unexpected(
        Fault{.what = compiled->error(), .at = at == std::string_view::npos ? 0 : at});
  }
  return Pattern(std::move(compiled));
}

bool Pattern::found_in(std::string_view text) const {
  return compiled_->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                          re2::RE2::UNANCHORED, nullptr, 0);
}

}  // namespace watchpost::expr
