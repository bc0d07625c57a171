# Puts a text file of the source tree into a folder's library, as the constant `std::string_view NAME`
# of namespace watchpost::FOLDER.
function(watchpost_embed folder file name)
  file(READ ${file} text)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  set(made ${CMAKE_CURRENT_BINARY_DIR}/${folder}_${name}.cc)
  file(CONFIGURE OUTPUT ${made} @ONLY CONTENT [=[
#include <string_view>
namespace watchpost::@folder@ {
extern const std::string_view @name@;
const std::string_view @name@ = R"embedded(@text@)embedded";
}  // namespace watchpost::@folder@
]=])
  target_sources(wp_${folder} PRIVATE ${made})
endfunction()
