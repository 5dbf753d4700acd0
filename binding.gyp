{
  # The other way to build what CMakeLists.txt builds, for prebuildify and clones without cmake.
  'targets': [
    {
      'target_name': 'sttstream',
      'sources': ['<!@(node -p "require(\'fs\').readFileSync(\'native/sources.txt\', \'utf8\')")'],
      'include_dirs': ['native', '<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': ['NAPI_VERSION=8', 'NAPI_DISABLE_CPP_EXCEPTIONS'],
      'cflags_cc': ['-std=c++17', '-fvisibility=hidden'],
      'xcode_settings': {
        'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
        'GCC_ENABLE_CPP_EXCEPTIONS': 'NO',
        'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
      },
      'msvs_settings': {'VCCLCompilerTool': {'AdditionalOptions': ['/std:c++17']}},
      'configurations': {
        'Debug': {'defines': ['NODE_ADDON_API_ENABLE_TYPE_CHECK_ON_AS']},
      },
    },
  ],
}
