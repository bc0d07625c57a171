#pragma once
#include "mime/defect.h"

#include <string_view>

namespace watchpost::cli {

// What is wrong, for people: "the last part has no end boundary".
std::string_view words_of(mime::Defect defect);

}  // namespace watchpost::cli
