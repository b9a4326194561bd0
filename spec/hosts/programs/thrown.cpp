/*
** thrown.cpp - a host in C++ with a Lua that was built as C++: errors are
** exceptions there, and go through the module's frames. Those of Lua, of the
** module and of the host's own functions (which hooks call) end the call and
** nothing else: destructors run, transactions are rolled back, memory is given
** back.
*/
#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

extern "C" {
#include "hosts.h"
}

namespace {

std::size_t blocks;
int guards;

struct guard {
  guard() {
    guards++;
  }
  guard(const guard &) = delete;
  guard &operator=(const guard &) = delete;
  ~guard() {
    guards--;
  }
};

void *allocate(void *, void *ptr, std::size_t, std::size_t size) {
  if (size == 0) {
    if (ptr != nullptr) blocks--;
    std::free(ptr);
    return nullptr;
  }
  if (ptr == nullptr) blocks++;
  return std::realloc(ptr, size);
}

/* fail(how): what a hook of the host's may do. */
int fail(lua_State *L) {
  guard here;
  const char *how = lua_tostring(L, 1);
  if (std::strcmp(how, "throw") == 0) throw std::runtime_error("thrown");
  return luaL_error(L, "raised");
}

/* guarded(fn): calls it with an object of the host's on the stack. */
int guarded(lua_State *L) {
  guard here;
  lua_call(L, 0, 0);
  return 0;
}

void run(lua_CFunction open) {
  lua_State *L = lua_newstate(allocate, nullptr);
  if (L == nullptr) die("state", "out of memory");
  equip(L, open);
  load_script(L, "thrown");
  push_function(L, "run");
  lua_pushcfunction(L, fail);
  lua_pushcfunction(L, guarded);
  call_script(L, 2, 1);
  std::printf("%d calls failed as they should\n",
              static_cast<int>(lua_tointeger(L, -1)));
  lua_close(L);
}

void need(bool holds, const char *what) {
  if (holds) return;
  std::fprintf(stderr, "thrown: %s\n", what);
  std::exit(1);
}

} // namespace

int main() {
  run(entry_of(open_module()));
  need(guards == 0, "a destructor did not run");
  need(blocks == 0, "Lua's allocator did not get all back");
  need(sqlite3_memory_used() == 0, "SQLite did not get all back");
  return 0;
}
