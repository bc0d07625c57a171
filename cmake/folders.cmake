if(WATCHPOST_GROUPED)
  execute_process(
    COMMAND ${Python3_EXECUTABLE} -IB ${PROJECT_SOURCE_DIR}/cmake/groups.py ${PROJECT_BINARY_DIR}/groups
            ${PROJECT_SOURCE_DIR}/src COMMAND_ERROR_IS_FATAL ANY)
endif()

# What is compiled in place of `sources`, all of the folder `name` or all of its tests: see cmake/groups.py.
function(watchpost_grouped name sources)
  if(WATCHPOST_GROUPED)
    file(GLOB groups ${PROJECT_BINARY_DIR}/groups/${name}/*.cc)
    set(${sources} ${groups} PARENT_SCOPE)
  endif()
endfunction()

# One static library for each folder of src/.
#   watchpost_folder(NAME [FLOOR_BELOW...] [LIBS third-party targets...])
# The link line names the folders this one may include; tools/check_floors.py holds the includes to the floors.
# Tests stand beside the code as x_test.cc and make one program a folder, NAME_test.
function(watchpost_folder name)
  cmake_parse_arguments(ARG "" "" "USES;LIBS" ${ARGN})
  file(GLOB_RECURSE all CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc)
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  set(tests ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(TRANSFORM ARG_USES PREPEND wp_)
  if(NOT sources)
    add_library(wp_${name} INTERFACE)
    target_link_libraries(wp_${name} INTERFACE ${ARG_USES})
    return()
  endif()
  watchpost_grouped(${name} sources)
  add_library(wp_${name} STATIC ${sources})
  target_include_directories(wp_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(wp_${name} PUBLIC ${ARG_USES} ${ARG_LIBS} fmt::fmt)
  if(WATCHPOST_TEST_FOLDERS AND NOT name IN_LIST WATCHPOST_TEST_FOLDERS)
    return()
  endif()
  if(WATCHPOST_TESTS AND tests)
    watchpost_grouped(${name}_test tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE wp_${name} GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE
      WATCHPOST_SOURCE_DIR="${PROJECT_SOURCE_DIR}" WATCHPOST_BUILD_DIR="${PROJECT_BINARY_DIR}")
    # A folder's tests are one process: 2,000 of them would mostly start and end, above all under sanitizers.
    add_test(NAME unit.${name} COMMAND ${name}_test --gtest_brief=1 --gtest_output=xml:${PROJECT_BINARY_DIR}/unit/${name}.xml)
    set_tests_properties(unit.${name} PROPERTIES TIMEOUT 2400 COST 2000)
  endif()
endfunction()
