# Warnings are errors: what the compiler can see, no reader should have to.
# Members with defaults may be left out of designated initialisers: that is what the defaults are for.
add_compile_options(-Wall -Wextra -Wconversion -Wshadow -Werror -Wno-missing-field-initializers)
add_compile_options($<$<CONFIG:Debug>:-Og> -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++ 12 calls what it has itself deprecated (std::get_temporary_buffer in std::stable_sort).
  add_compile_options(-Wno-deprecated-declarations)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False positives of GCC 12 inside libstdc++ once inlining is deep.
  add_compile_options(-Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overread -Wno-stringop-overflow
                      -Wno-array-bounds -Wno-dangling-pointer -Wno-nonnull -Wno-free-nonheap-object)
  if(WATCHPOST_GROUPED)
    # Sources in a group are included, but they are no headers: nobody else sees what they name for themselves.
    add_compile_options(-Wno-subobject-linkage)
  endif()
  # TSan cannot follow atomic_thread_fence; GCC says so for code in Boost that does not depend on it.
  if(WATCHPOST_SANITIZE MATCHES "thread")
    add_compile_options(-Wno-tsan)
  endif()
endif()

if(WATCHPOST_SANITIZE)
  add_compile_options(-fsanitize=${WATCHPOST_SANITIZE} -fno-sanitize-recover=all)
  # Lines and functions are all that a report needs; more takes a third longer to compile.
  add_compile_options(-g1)
  # At a place of its own a program has no addresses to adjust when it starts: with all that sanitizers note down these
  # are 600,000, and tests start programs thousands of times.
  add_link_options(-fsanitize=${WATCHPOST_SANITIZE} $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-no-pie>)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
  if(WATCHPOST_SANITIZE MATCHES "address")
    # Awaitable frames that Asio recycles hide use-after-free from ASan.
    add_compile_definitions(BOOST_ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING)
  endif()
else()
  add_compile_options($<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2> -fstack-protector-strong)
  add_link_options(-Wl,-z,relro,-z,now)
endif()

if(WATCHPOST_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

# Linking is a good part of an everyday build; mold halves it.
find_program(MOLD mold)
if(MOLD AND CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_link_options(-fuse-ld=mold)
endif()
